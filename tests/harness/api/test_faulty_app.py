"""An ordinary request reveals each fault that the API rules describe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.api import growth, latency, transport
from harness.api.client import Client
from harness.api.rules import Answers, judge_pool, route_refused
from harness.databases.databases import Database
from harness.examples import Example, examples_of
from harness.findings import BrokenPromiseError, Finding, Verdict
from harness.rules import catalogue
from harness.wire.observer import Observer
from tests.harness.api.faulty_app import Start, add_items


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


def answered(client: Client, example: Example) -> list[Finding]:
    """What the statuses of three requests break."""
    method, path = example.fields["request"].split()
    statuses = Counter(client.request(method, path).status_code for _ in range(3))
    return route_refused(Answers(example.fields["request"], statuses))


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
    "route-refused": answered,
    "latency-objective": timed,
    "route-cost": timed,
}
"""How the examples of a rule are run, where one request does not break it."""

EXAMPLES = examples_of(*(check.id for check in catalogue("api")))


def named(name: str) -> Example:
    """The example of one request with this name."""
    [example] = [item for item in EXAMPLES if item.name == name and item.rule != "query-growth"]
    return example


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_an_example_breaks_its_rule_or_none(
    example: Example, faulty_app: Start, wire: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each planted fault is found under its rule, and what is clean is left alone by every rule."""
    settle = wire.settle
    ends = example.rule not in ("transaction-left-open", "still-at-work")
    monkeypatch.setattr(wire, "settle", lambda: settle(5 if ends else 0.2))
    monkeypatch.setattr(transport, "LONGEST_WORK", 10 if ends else 0.2)
    found = RUN.get(example.rule, once)(faulty_app(example.code), example)
    ids = {finding.rule.id for finding in found}
    assert example.rule in ids if example.breaks else not ids


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("lazy loading", r"3 times.* owner .*\n(.*\n)*.*selectinload"),
        ("a query for each key", r"select name from owner where id = \?"),
        ("SELECT 1 before the query", "1 round trip, .*SELECT 1"),
        ("an engine for each request", "1 connection opened, 0 allowed"),
        ("five queries", "5 queries, the budget is 3"),
        ("a total with the page", "select count"),
        ("COMMIT in a dependency with yield", "COMMIT"),
        ("a session held by a streaming answer", "SELECT item.id"),
        ("a slow call inside the transaction", "INSERT INTO owner"),
    ],
)
def test_a_fault_is_caught_by_its_request(faulty_app: Start, name: str, word: str) -> None:
    """The request itself fails, with the rule, the route and what was seen."""
    example = named(name)
    with pytest.raises(BrokenPromiseError, match=word) as caught:
        send(faulty_app(example.code), example)
    assert f"{example.rule}: {example.fields['request']}" in str(caught.value)


def test_the_last_request_tells_what_it_cost(faulty_app: Start) -> None:
    """A write is BEGIN, the statement and COMMIT; a relationship that is loaded with its rows is a second query."""
    example = named("COMMIT before the handler returns")
    client = faulty_app(example.code)
    send(client, example)
    assert (client.last.queries, client.last.trips) == (1, 3)
    example = named("loaded together")
    client = faulty_app(example.code)
    send(client, example)
    assert (client.last.queries, client.last.trips, client.last.items) == (2, 2, 6)


def test_requests_after_a_fault_are_not_judged(faulty_app: Start, wire: Observer, empty_database: Database) -> None:
    """Connections that the server has ended are opened again: that is the fault's cost, and no one's mistake."""
    example = named("loaded together")
    client = faulty_app(example.code)
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
    (finding,) = grown(faulty_app(example.code), example)
    assert "11 queries with 10 rows, 21 queries with 100 rows" in finding.message
