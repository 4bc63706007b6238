"""Asynchronous apps are recorded, counted and judged like synchronous ones, whatever the driver and the pool."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from harness.api import growth
from harness.api.app_server import AppServer
from harness.api.client import Client
from harness.api.transport import JudgingTransport, StatementsSent
from harness.catalog import read_snapshot
from harness.databases.databases import Database
from harness.examples import Example
from harness.findings import Finding
from harness.rules import judge
from harness.schema.access.plans import RouteStatement
from harness.schema.access.unindexed import unindexed
from harness.wire.observer import Observer
from tests.harness.api.faulty_app import add_items
from tests.harness.api.test_faulty_app import RUN, once
from tests.harness.shapes.async_apps import DRIVERS, SCHEMA, Fault, faults, load

Start = Callable[..., Client]


@pytest.fixture
def sent() -> StatementsSent:
    """What the app has sent."""
    return {}


@pytest.fixture
def start(empty_database: Database, app_server: AppServer, sent: StatementsSent) -> Iterator[Start]:
    """Starts the app of a driver, perhaps with a fault, on a database with three items."""
    with empty_database.connect() as connection:
        connection.execute(SCHEMA)
    with ExitStack() as held:
        wire = held.enter_context(Observer(empty_database.address))

        def start(driver: str, fault: Fault | None = None) -> Client:
            held.enter_context(app_server.run(load(driver, wire.dsn(empty_database.dsn), fault), driver))
            transport = JudgingTransport(wire, app_server.inflight, sent, judge)
            client = held.enter_context(Client(app_server.base_url, empty_database, transport))
            add_items(client, 3)
            return client

        yield start


RESET = {"asyncpg_pool": 1}
"""Round trips by which a pool resets a connection that comes back."""


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_request_costs_the_same_from_the_first_to_the_tenth(start: Start, driver: str) -> None:
    """A read is one query in one round trip, a write one in three, also where a driver prepares or asks for types."""
    client, more = start(driver), RESET.get(driver, 0)
    costs: dict[str, set[tuple[int, int]]] = {"items": set(), "items/1": set()}
    for path in [*costs] * 10:
        client.get(path).raise_for_status()
        costs[path].add((client.last.queries, client.last.trips))
    assert costs == {"items": {(1, 1 + more)}, "items/1": {(1, 1 + more)}}
    for number in range(10):
        client.post("/owners", params={"name": f"Ada {number}", "mood": "bad"}).raise_for_status()
        assert (client.last.queries, client.last.trips) == (1, 3 + more)


def test_a_statement_that_is_prepared_for_each_request_costs_a_round_trip(start: Start) -> None:
    """As asyncpg does without its cache, which a pooler of transactions needs: only the first time is not counted."""
    without = Fault("", "", "asyncpg_pool", "command_timeout=WAIT", "command_timeout=WAIT, statement_cache_size=0")
    client, trips = start("asyncpg_pool", without), []
    for _ in range(3):
        client.get("/items/1").raise_for_status()
        trips.append(client.last.trips)
    assert trips == [2, 3, 3]


@pytest.mark.parametrize("driver", DRIVERS)
def test_fetching_from_a_cursor_is_no_loop_and_does_not_grow(start: Start, driver: str) -> None:
    """A server-side cursor is one query, whatever number of round trips its rows take."""
    client = start(driver)
    measured = {}
    for size, more in ((10, 7), (100, 90)):
        add_items(client, more)
        assert len(client.get("/export").raise_for_status().json()) == size
        assert client.last.queries == 1
        measured[size] = client.last
    assert measured[100].recording.kinds["fetch"] > 0
    assert [each.rule.id for each in growth.judge(measured)] == ["unbounded-list"]


def planned(database: Database, sent: StatementsSent) -> list[Finding]:
    """What the plans of all statements that were sent break."""
    statements = [RouteStatement(each.text, each.types, tuple(each.routes)) for each in sent.values()]
    with database.connect() as connection:
        return unindexed(connection, read_snapshot(connection), statements)


def place(fault: Fault) -> str:
    """What a finding names."""
    return "pool" if fault.rule == "pool-too-small" else re.sub(r"/\d+", "/{number}", fault.request.partition("?")[0])


@pytest.mark.parametrize("fault", [each for each in faults() if each.rule != "lost-commit"], ids=str)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_a_planted_fault_is_caught_and_named(
    start: Start, fault: Fault, empty_database: Database, sent: StatementsSent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The finding has the rule and the route, as it has for a synchronous app."""
    client = start(fault.driver, fault)
    settle = client.wire.settle
    monkeypatch.setattr(client.wire, "settle", lambda: settle(0.2 if fault.rule == "transaction-left-open" else 5))
    example = Example(fault.rule, True, str(fault), "", {"request": fault.request})
    found = RUN.get(fault.rule, once)(client, example)
    found += planned(empty_database, sent) if fault.rule == "query-without-index" else []
    assert any(each.rule.id == fault.rule and each.object.startswith(place(fault)) for each in found)


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_app_without_a_fault_breaks_no_rule(
    start: Start, driver: str, empty_database: Database, sent: StatementsSent
) -> None:
    """Its requests, its lists when they grow, its pool and its plans are clean."""
    client = start(driver)
    for request in ("GET /items", "GET /items/1", "GET /export", "POST /owners?name=Ada"):
        example = Example("", False, "", "", {"request": request})
        assert once(client, example) == []
    for rule in ("query-growth", "pool-too-small"):
        assert RUN[rule](client, Example(rule, False, "", "", {"request": "GET /items"})) == []
    assert planned(empty_database, sent) == []


def succeeds_without_its_commit(client: Client) -> bool:
    """Whether a write is answered as a success although the answer to its COMMIT was lost."""
    with client.wire.fault("^COMMIT", "lose answer") as fault:
        answer = client.post("/owners", params={"name": "Ada"})
    assert fault.met
    return answer.is_success


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_commit_whose_answer_is_lost_is_no_success(start: Start, driver: str) -> None:
    """Every driver raises, and the next request gets another connection."""
    client = start(driver)
    assert not succeeds_without_its_commit(client)
    assert client.get("/items").is_success


@pytest.mark.parametrize("fault", [each for each in faults() if each.rule == "lost-commit"], ids=str)
def test_a_lost_commit_that_is_reported_as_a_success_is_caught(start: Start, fault: Fault) -> None:
    """The same check finds the app that catches the driver's error."""
    assert succeeds_without_its_commit(start(fault.driver, fault))


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_silent_network_is_not_waited_for(start: Start, driver: str) -> None:
    """Each driver has a limit for the server's next answer; the connection is dropped, and the next request served."""
    client = start(driver, Fault("", "", driver, "WAIT = 8.0", "WAIT = 0.3"))
    with client.wire.fault("FROM item", "stall") as fault:
        assert client.get("/items", timeout=60).is_server_error
        assert fault.met
        assert client.get("/items/1").is_success
