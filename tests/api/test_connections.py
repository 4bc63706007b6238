"""The pool under many clients: it is opened once, shared, and enough."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.api.client import Client
from harness.api.latency import ROUND_TRIP
from harness.api.rules import judge_pool
from harness.findings import Verdict
from tests.api.examples import EXAMPLES

pytestmark = pytest.mark.api

CLIENTS = 20
REQUESTS = 200


def test_many_clients_share_the_pool(api: Client, judge: Callable[..., Verdict]) -> None:
    """200 requests, 20 at once, under latency: all answered, no connection opened, several at work at once."""
    reads = [EXAMPLES[f"GET /v1/{path}"](api) for path in ("todos", "todos/{todo_id}", "users/{user_id}")]
    requests = [reads[number % len(reads)] for number in range(REQUESTS)]
    before = api.wire.connections
    with api.wire.slow(ROUND_TRIP), api.wire.recording() as seen, ThreadPoolExecutor(CLIENTS) as clients:
        statuses = set(clients.map(lambda request: api.send(request).status_code, requests))
    assert statuses == {200}
    judge("api", judge_pool(seen, CLIENTS))
    assert api.wire.connections == before


def test_a_new_process_opens_its_pool_before_it_is_ready(api: Client) -> None:
    """The first request of a test finds every connection open."""
    with api.wire.recording() as seen:
        assert api.get("/v1/todos").status_code == 200
    assert seen.opened == []
