"""A request that is in flight when its server is stopped: held by a lock, so that nothing depends on a clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import httpx

from harness.databases.databases import Database

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def until(condition: Callable[[], bool], what: str) -> None:
    """Ask again until it is so; a minute is enough for anything here."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"after a minute still not: {what}"
        time.sleep(0.01)


def refuses(base_url: str) -> bool:
    """Whether nobody listens there any more."""
    try:
        httpx.get(f"{base_url}/health", trust_env=False)
    except httpx.TransportError:
        return True
    return False


def answer_during(stop: Callable[[], object], base_url: str, database: Database) -> httpx.Response:
    """The answer to a request that waited in a statement when `stop` began, until new ones were refused.

    `stop` may take its time: it runs in a separate thread.
    """
    with ThreadPoolExecutor(2) as pool, database.connect() as holder, database.as_role("superuser").connect() as watch:
        watch.autocommit = True
        holder.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        request: Future[httpx.Response] = pool.submit(httpx.get, f"{base_url}/v1/users/1", timeout=30, trust_env=False)
        until(lambda: watch.execute(WAITING).fetchone() == (1,) or request.done(), "the request waits for the lock")
        stopping = pool.submit(stop)
        until(lambda: refuses(base_url), "the server refuses new requests")
        holder.rollback()
        answer = request.result(timeout=30)
        stopping.result(timeout=30)
    return answer
