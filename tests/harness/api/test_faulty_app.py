"""An ordinary request reveals each fault that the API rules describe."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import ForeignKey, create_engine, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

from harness.api import growth, latency
from harness.api.app_server import AppServer
from harness.api.client import Client
from harness.api.rules import judge_pool
from harness.api.transport import BrokenPromiseError, JudgingTransport
from harness.databases.databases import Database
from harness.examples import Example, examples_of
from harness.findings import Finding, Verdict
from harness.rules import catalogue, judge
from harness.wire.observer import Observer


class Base(DeclarativeBase):
    """The faulty app's tables."""


class Owner(Base):
    """Whom an item belongs to."""

    __tablename__ = "owner"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Item(Base):
    """What is listed."""

    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey(Owner.id))
    owner: Mapped[Owner] = relationship()


NAMES: dict[str, Any] = {
    "Depends": Depends,
    "Item": Item,
    "Owner": Owner,
    "Session": Session,
    "StreamingResponse": StreamingResponse,
    "create_engine": create_engine,
    "func": func,
    "select": select,
    "selectinload": selectinload,
    "text": text,
    "time": time,
}
"""What the code of an example may use."""

Start = Callable[[Example], Client]


def make_app(url: str, code: str) -> FastAPI:
    """An app with the routes of an example, whose pool is open before it serves."""
    names = NAMES | {"app": FastAPI(), "url": url}
    names["engine"] = create_engine(url, pool_size=3, max_overflow=0)
    names["reads"] = names["engine"].execution_options(isolation_level="AUTOCOMMIT")
    exec(code, names)
    app, engine = names["app"], names["engine"]

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> Any:
        with contextlib.ExitStack() as held:
            for _number in range(engine.pool.size()):
                held.enter_context(engine.connect())
        yield
        engine.dispose()

    app.router.lifespan_context = lifespan
    return cast("FastAPI", app)


@pytest.fixture
def faulty_app(wire: Observer, empty_database: Database, app_server: AppServer) -> Iterator[Start]:
    """Starts the app of an example on a database with three items."""
    Base.metadata.create_all(empty_database.engine)
    with contextlib.ExitStack() as held:

        def start(example: Example) -> Client:
            url = wire.dsn(empty_database.dsn).replace("postgresql://", "postgresql+psycopg://", 1)
            held.enter_context(app_server.run(make_app(url, example.code), "the faulty app"))
            transport = JudgingTransport(wire, app_server.inflight, {}, judge)
            client = held.enter_context(Client(app_server.base_url, empty_database, transport))
            add_items(client, 3)
            return client

        yield start


def add_items(client: Client, count: int) -> None:
    """Items, each with another owner."""
    owners = client.seed("owner", [{"name": f"owner {number}"} for number in range(count)])
    client.seed("item", [{"owner_id": owner["id"]} for owner in owners])


def send(client: Client, example: Example) -> None:
    """The example's request, which must be answered well."""
    client.request(*example.fields["request"].split()).raise_for_status()


def once(client: Client, example: Example) -> list[Finding]:
    """What one request breaks."""
    found: list[Finding] = []

    def keep(findings: Sequence[Finding]) -> Verdict:
        found.extend(findings)
        return Verdict()

    client.transport.verdict = keep
    send(client, example)
    return found


def grown(client: Client, example: Example) -> list[Finding]:
    """What a list breaks with ten and with a hundred rows."""
    client.transport.verdict = lambda _: Verdict()
    measured = {}
    for size, more in ((10, 7), (100, 90)):
        add_items(client, more)
        send(client, example)
        measured[size] = client.last
    return growth.judge(measured)


def crowded(client: Client, example: Example) -> list[Finding]:
    """What twenty clients at once find."""
    send(client, example)
    with client.wire.slow(0.01), client.wire.recording() as seen, ThreadPoolExecutor(20) as clients:
        list(clients.map(lambda _: send(client, example), range(60)))
    return judge_pool(seen, 20)


def timed(client: Client, example: Example) -> list[Finding]:
    """What a read breaks that is measured with latency."""
    client.transport.verdict = lambda _: Verdict()
    timing = latency.measure(client, lambda: client.build_request(*example.fields["request"].split()), samples=3)
    judged = latency.latency_objective if example.rule == "latency-objective" else latency.route_cost
    return judged(timing) if example.rule == "latency-objective" else judged(timing, queries=1, trips=1)


RUN = {
    "query-growth": grown,
    "unbounded-list": grown,
    "pool-too-small": crowded,
    "latency-objective": timed,
    "route-cost": timed,
}
"""How the examples of a rule are run, where one request does not break it."""

EXAMPLES = examples_of(*(check.id for check in catalogue("api")))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_an_example_breaks_its_rule_or_none(
    example: Example, faulty_app: Start, wire: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each planted fault is found under its rule, and what is clean is left alone by every rule."""
    settle = wire.settle
    monkeypatch.setattr(wire, "settle", lambda: settle(0.2 if example.rule == "transaction-left-open" else 5))
    found = RUN.get(example.rule, once)(faulty_app(example), example)
    ids = {finding.rule.id for finding in found}
    assert example.rule in ids if example.breaks else not ids


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("lazy loading", r"3 times.* owner .*\n(.*\n)*.*selectinload"),
        ("a query for each key", r"select name from owner where id = \?"),
        ("SELECT 1 before the query", "1 round trips, .*SELECT 1"),
        ("an engine for each request", "1 connections opened, 0 allowed"),
        ("five queries", "5 queries, the budget is 3"),
        ("a total with the page", "select count"),
        ("COMMIT in a dependency with yield", "COMMIT"),
        ("a session held by a streaming answer", "SELECT item.id"),
        ("a slow call inside the transaction", "INSERT INTO owner"),
    ],
)
def test_a_fault_is_caught_by_its_request(faulty_app: Start, name: str, word: str) -> None:
    """The request itself fails, with the rule, the route and what was seen."""
    [example] = [item for item in EXAMPLES if item.name == name and item.rule != "query-growth"]
    with pytest.raises(BrokenPromiseError, match=word) as caught:
        send(faulty_app(example), example)
    assert f"{example.rule}: {example.fields['request']}" in str(caught.value)


def test_the_last_request_tells_what_it_cost(faulty_app: Start) -> None:
    """A write is BEGIN, the statement and COMMIT; a relationship that is loaded with its rows is a second query."""
    [example] = examples_of("work-after-answer", breaks=False)
    client = faulty_app(example)
    send(client, example)
    assert (client.last.queries, client.last.trips) == (1, 3)
    [example] = examples_of("query-loop", breaks=False)
    client = faulty_app(example)
    send(client, example)
    assert (client.last.queries, client.last.trips, client.last.items) == (2, 2, 6)


def test_requests_after_a_fault_are_not_judged(faulty_app: Start, wire: Observer, empty_database: Database) -> None:
    """Connections that the server has ended are opened again: that is the fault's cost, and no one's mistake."""
    [example] = examples_of("query-loop", breaks=False)
    client = faulty_app(example)
    with empty_database.as_role("superuser").connect(autocommit=True) as operator:
        operator.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
    assert client.get("/items").status_code == 500
    send(client, example)
    assert client.last.connections == 1


def test_a_loop_that_a_budget_allows_grows(faulty_app: Start) -> None:
    """Where a budget is raised, growth still tells a loop from a fixed number of queries."""
    [example] = examples_of("query-growth", breaks=True)
    (finding,) = grown(faulty_app(example), example)
    assert "11 queries with 10, 21 queries with 100 rows" in finding.message
