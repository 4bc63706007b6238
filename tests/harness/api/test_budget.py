"""Each rule for a request finds its violating example and accepts its clean one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from harness.api.exchange import Exchange, Limits
from harness.api.growth import query_growth, unbounded_list
from harness.api.latency import Timing, latency_objective, route_cost
from harness.api.rules import Answers, judge, judge_budget, judge_pool, route_refused
from harness.rules import catalogue
from harness.wire.recording import Recording, RoundTrip, WireStatement
from harness.wire.statement_kinds import kind_of

READ = "SELECT todo.id, todo.title FROM todo WHERE todo.id = $1"


def trips(*texts: str | Sequence[str], step: float = 0.002) -> list[RoundTrip]:
    """Round trips of a millisecond each on one connection, one text or several in each, `step` seconds apart."""
    made, status = [], "I"
    for number, item in enumerate(texts):
        every = [item] if isinstance(item, str) else list(item)
        trip = RoundTrip(1, number * step, number * step + 0.001)
        for text in every:
            trip.statements.append(WireStatement(text, kind_of(text), trip.started, seconds=0.001))
            trip.raise_kind(kind_of(text))
            status = {"BEGIN": "T", "COMMIT": "I", "ROLLBACK": "I"}.get(text, status)
        trip.status = status
        made.append(trip)
    return made


def request(*made: RoundTrip, route: str = "GET /todos", opened: Sequence[int] = (), **more: Any) -> Exchange:
    """A request that did this on the wire."""
    return Exchange(route, Recording(list(made), list(opened)), **more)


LATE = trips("BEGIN", READ, "COMMIT")
VIOLATING = {
    "query-budget": judge(request(*trips("SELECT 'a', 2", "SELECT a FROM t", "SELECT b FROM t", "SELECT c FROM t"))),
    "stale-exemption": judge_budget("test_it", Limits(queries=5), 4),
    "ping-before-use": judge(request(*trips("SELECT 1", READ))),
    "query-loop": judge(request(*trips(READ, READ, READ.replace("$1", "7")))),
    "connection-per-request": judge(request(RoundTrip(7, 0, 0.01), *trips(READ), opened=[7])),
    "count-in-list": judge(request(*trips(READ, "SELECT count(*) AS n FROM todo"))),
    "work-after-answer": judge(request(*LATE, answered=0.0035)),
    "idle-in-transaction": judge(request(*trips("BEGIN", READ, "COMMIT", step=1.5))),
    "transaction-left-open": judge(request(*trips("BEGIN", READ), unsettled="connection 1 is in a transaction")),
    "still-at-work": judge(request(*trips(READ), working="the app still works on the request")),
    "query-growth": query_growth({1: request(*trips(READ, READ), items=1), 10: request(*trips(*[READ] * 11), items=9)}),
    "unbounded-list": unbounded_list({1: request(*trips(READ), items=1), 100: request(*trips(READ), items=100)}),
    "latency-objective": latency_objective(Timing("GET /todos", 1, 1, (0.002,), (0.03, 0.21))),
    "route-cost": route_cost(Timing("GET /todos", 2, 2, (0.002,), (0.03,)), queries=1, trips=1),
    "pool-too-small": judge_pool(Recording(most_busy=1), 20),
    "route-refused": route_refused(Answers("GET /todos", {401: 20, 404: 5})),
}
CLEAN = {
    "query-budget": judge(request(*trips("SELECT 'a', 2", "SELECT a FROM t", "SELECT b FROM t"))),
    "stale-exemption": judge_budget("test_it", Limits(queries=5), 5),
    "ping-before-use": judge(request(*trips(READ, "SELECT 1"))),
    "query-loop": judge(request(*trips(READ, [READ] * 50))),
    "connection-per-request": judge(request(*trips(READ))),
    "count-in-list": judge(request(*trips(READ, "SELECT owner, count(*) FROM todo GROUP BY owner"))),
    "work-after-answer": judge(request(*LATE, answered=0.006)),
    "idle-in-transaction": judge(request(*trips(READ, READ, step=1.5))),
    "transaction-left-open": judge(request(*LATE)),
    "still-at-work": judge(request(*trips(READ))),
    "query-growth": query_growth({1: request(*trips(READ), items=1), 10: request(*trips(READ), items=9)}),
    "unbounded-list": unbounded_list({1: request(*trips(READ), items=1), 100: request(*trips(READ), items=20)}),
    "latency-objective": latency_objective(Timing("GET /todos", 1, 1, (0.002,), (0.03, 0.19))),
    "route-cost": route_cost(Timing("POST /todos", 2, 4, (0.002,), (0.03,)), queries=2, trips=4),
    "pool-too-small": judge_pool(Recording(most_busy=2), 20),
    "route-refused": route_refused(Answers("GET /todos", {401: 20, 200: 5})),
}


def test_every_rule_has_both_examples() -> None:
    """A rule without a violating or a clean example is not finished."""
    assert {check.id for check in catalogue("api")} | {"stale-exemption"} == set(VIOLATING) == set(CLEAN)


@pytest.mark.parametrize("rule", list(VIOLATING))
def test_a_violation_is_found_and_nothing_else(rule: str) -> None:
    """The violating example breaks its own rule only."""
    assert {finding.rule.id for finding in VIOLATING[rule]} == {rule}


@pytest.mark.parametrize("rule", list(CLEAN))
def test_a_clean_request_passes(rule: str) -> None:
    """The clean example breaks none."""
    assert CLEAN[rule] == []


def test_a_loop_is_named_with_its_fix() -> None:
    """The failure says which statement repeats, how often, how long it took, and what usually is the cause."""
    (finding,) = VIOLATING["query-loop"]
    text = str(finding)
    assert "query-loop: GET /todos" in text
    assert "3 times in separate round trips, 3.0 ms together" in text
    assert "selectinload" in text


def test_a_budget_lists_every_statement_with_its_time() -> None:
    """Who is over budget sees each statement, its time and connection, and a repeated one once, with its number."""
    exchange = request(*trips("BEGIN", READ, READ, "SELECT b FROM t", "SELECT c FROM t"))
    (finding,) = judge(exchange)
    assert finding.message.splitlines()[0] == "4 queries, the budget is 3"
    assert "1.0 ms  #1  SELECT b FROM t" in finding.message
    assert finding.message.count("[2 times]") == 1
    assert "2.0 ms  #1  SELECT todo.id, todo.title FROM todo WHERE todo.id = $1  [2 times]" in finding.message


def test_a_loop_is_not_over_budget_too() -> None:
    """What a loop repeats is one finding; with the other statements the request may still be over budget."""
    loop = [READ] * 7
    assert [finding.rule.id for finding in judge(request(*trips(*loop, "SELECT a FROM t")))] == ["query-loop"]
    others = ("SELECT a FROM t", "SELECT b FROM t", "SELECT c FROM t")
    assert [finding.rule.id for finding in judge(request(*trips(*loop, *others)))] == ["query-loop", "query-budget"]


def test_a_raised_budget_is_kept() -> None:
    """The limits are the caller's."""
    exchange = request(*trips("SELECT 'a', 2", "SELECT a FROM t", "SELECT b FROM t", "SELECT c FROM t"))
    assert judge(exchange, Limits(queries=4)) == []


@pytest.mark.parametrize(("queries", "most", "needed"), [(5, 4, "4 are enough"), (4, 1, "the 3 that every request")])
def test_a_stale_budget_names_the_number_that_is_enough(queries: int, most: int, needed: str) -> None:
    """The number to write, or that the marker can go."""
    (finding,) = judge_budget("test_it", Limits(queries=queries), most)
    assert (finding.object, needed in finding.message) == ("test_it", True)


@pytest.mark.parametrize(
    ("statuses", "fix"),
    [
        ({401: 1}, "log in: "),
        ({401: 9, 422: 1, 415: 2}, "log in: "),
        ({403: 3, 404: 1}, "log in as a user who may"),
        ({404: 3, 403: 1}, "something that exists"),
        ({404: 3, 422: 1}, ""),
        ({401: 9, 409: 1}, ""),
        ({422: 9}, ""),
        ({}, ""),
    ],
)
def test_a_route_is_served_when_one_request_gets_through(statuses: dict[int, int], fix: str) -> None:
    """An invalid body is refused before the app asks who sends it, so 422 does not show that anybody was let in."""
    found = route_refused(Answers("POST /todos", statuses))
    assert [fix in item.fix for item in found] == ([True] if fix else [])


@pytest.mark.parametrize("queries", [0, 1, 3])
def test_a_lowered_budget_is_never_stale(queries: int) -> None:
    """It holds its test to less than every other, whatever the requests need."""
    assert judge_budget("test_it", Limits(queries=queries), 0) == []


@pytest.mark.parametrize("ping", ["", ";", "SELECT 1", "select 1 /* GET /todos */"])
def test_a_ping_is_named_and_is_a_round_trip(ping: str) -> None:
    """However a driver or a pool asks: the client waits for it, so it counts."""
    exchange = request(*trips(ping, READ))
    (finding,) = judge(exchange)
    assert finding.message.startswith("1 round trip, 1.0 ms together, only to test the connection: ")
    assert exchange.trips == 2


def test_what_only_opens_a_connection_is_no_round_trip_of_a_request() -> None:
    """Opening has its own rule; a SET in each request is a round trip like a query."""
    assert request(RoundTrip(1, 0, 0.001), *trips("SET search_path TO a", READ)).trips == 2


def test_a_question_whether_the_database_answers_is_no_ping() -> None:
    """A probe that sends nothing else asks what it wants to know."""
    assert judge(request(*trips("SELECT 1"))) == []


def test_a_route_is_a_row_of_medians() -> None:
    """The row has what the route asks of the database, and its medians in milliseconds."""
    assert Timing("POST /a", 2, 4, (0.004,), (0.045, 0.046, 0.05)).cells == ("POST /a", "2", "4", "4.0", "46.0")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT count(*) FROM todo",
        "SELECT coalesce(count(*), 0) AS n FROM todo WHERE owner_id = $1",
        "SELECT max(id), COUNT (id) FILTER (WHERE done) FROM todo",
        "SELECT extract(year FROM now()), count(*) FROM todo",
        "SELECT (SELECT count(*) FROM todo) AS n",
        "SELECT count(*) FROM (SELECT owner_id FROM todo GROUP BY owner_id) AS owners",
        "WITH page AS (SELECT id FROM todo) SELECT count(*) FROM page",
    ],
)
def test_a_count_is_found_wherever_the_select_list_has_it(text: str) -> None:
    """First or later, inside a function, in a subquery that is the whole answer, after WITH."""
    assert [finding.rule.id for finding in judge(request(*trips(READ, text)))] == ["count-in-list"]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT owner_id, count(*) FROM todo GROUP BY owner_id",
        "SELECT id, (SELECT count(*) FROM tag WHERE tag.todo_id = todo.id) AS tags FROM todo",
        "SELECT id FROM todo WHERE (SELECT count(*) FROM tag) > 3",
        "SELECT id, n FROM todo JOIN (SELECT todo_id, count(*) AS n FROM tag GROUP BY todo_id) AS tags ON true",
        "SELECT id, count(*) OVER (PARTITION BY owner_id) FROM todo",
        "SELECT 'count(', discount(price), count FROM item",
        "INSERT INTO seen SELECT count(*) FROM todo",
    ],
)
def test_what_counts_something_else_is_left_alone(text: str) -> None:
    """Groups, each row's own parts, a window, a condition, and names that only look like it."""
    assert judge(request(*trips(READ, text))) == []


def test_a_list_of_constant_length_is_not_unbounded() -> None:
    """A fixed list, such as all countries, is as long with one row as with a hundred."""
    assert unbounded_list({size: request(*trips(READ), items=249) for size in (1, 10, 100)}) == []


def test_a_route_that_costs_too_much_says_what_it_sent_and_what_to_do() -> None:
    """Route, what it needs, what is allowed, every statement, and how to fix or accept it."""
    [finding] = route_cost(Timing("GET /a", 2, 3, (0.1,), (0.1,), "    1.0 ms  #1  SELECT b"), queries=1, trips=1)
    text = finding.text
    assert text.startswith("error: route-cost: GET /a\n  2 queries in 3 round trips; a GET may make 1 in 1\n")
    assert "    1.0 ms  #1  SELECT b\n" in text
    assert '{ rule = "route-cost", object = "GET /a", reason = "…" }' in text


RESET = "SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL"
FETCH = 'FETCH FORWARD 10 FROM "walk"'


def fetched(*rows: int) -> list[RoundTrip]:
    """A cursor in a transaction that fetches so many rows, in a round trip each."""
    made = trips("BEGIN", "DECLARE walk CURSOR FOR SELECT id FROM todo", *[FETCH] * len(rows), "COMMIT")
    for trip, count in zip(made[2:], rows, strict=False):
        trip.statements[0].rows = count
    return made


def test_a_pool_that_resets_its_connection_after_the_answer_does_no_work() -> None:
    """The data is saved and no transaction is open; the reset is a round trip of the request all the same."""
    exchange = request(*trips(READ, RESET), answered=0.0015)
    assert judge(exchange) == []
    assert (exchange.queries, exchange.trips) == (1, 2)


def test_rows_of_a_cursor_may_take_any_number_of_round_trips() -> None:
    """One query, no loop, and no growth."""
    few, many = request(*fetched(1), items=1), request(*fetched(10, 10, 10, 10, 0), items=10)
    assert (judge(many), many.queries, many.trips) == ([], 1, 8)
    assert list(query_growth({1: few, 10: many})) == []


def test_a_cursor_that_fetches_row_by_row_is_a_loop() -> None:
    """A round trip for each row costs as much as a query for each row."""
    (found,) = judge(request(*fetched(1, 1, 1, 0)))
    assert (found.rule.id, "fetch many rows" in found.fix) == ("query-loop", True)


def test_a_cursor_for_each_row_is_a_loop() -> None:
    """Drivers give each cursor another name; its query is compared."""
    made = [f'DECLARE "c_{number}" CURSOR FOR SELECT name FROM owner WHERE id = $1' for number in range(3)]
    assert [found.rule.id for found in judge(request(*trips("BEGIN", *made, "COMMIT")))] == ["query-loop"]


def test_what_a_connection_prepares_once_is_neither_a_round_trip_nor_growth() -> None:
    """The first request on each connection of a pool costs what the others do."""
    preparing = RoundTrip(1, 0, 0.001, "prepare")
    first, later = request(preparing, *trips(READ), items=1), request(*trips(READ), items=10)
    assert (first.queries, first.trips) == (later.queries, later.trips) == (1, 1)
    assert list(query_growth({1: first, 10: later})) == []


@pytest.mark.parametrize(("waits", "found"), [([], 2), ([(0, 4), (1, 4.1), (5, 4.2)], 2), ([(0, 4), (5, 5.3)], 0)])
def test_a_transaction_is_idle_only_while_the_app_can_run(waits: list[tuple[float, float]], found: int) -> None:
    """A gap of 1.5 s is a finding, unless the process waited for a processor for most of it."""
    exchange = request(*trips("BEGIN", READ, "COMMIT", step=1.5))
    exchange.recording.waits += waits
    assert len(judge(exchange)) == found
