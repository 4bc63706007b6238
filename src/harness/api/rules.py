"""Requests, and many requests at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.api.exchange import Exchange, Limits, distinct, listing, milliseconds, repeats, single_rows
from harness.findings import Finding
from harness.rules import Breach, rule, stale_exemption
from harness.sql.counts import counts_rows
from harness.sql.normalise import normalise, shorten
from harness.wire.recording import Recording, RoundTrip
from harness.wording import plural


@rule("query-loop", "error", "A request does not repeat a statement")
def query_loop(exchange: Exchange, limits: Limits) -> Iterator[Breach]:
    """Find statements, the same but for literals, that a request sends in three or more round trips.

    What its background tasks send is counted by itself. Fetching from a cursor counts where each fetch gets one row.

    Why: a query in a loop is fast with the ten rows of a test and takes seconds with a thousand in production
    Fix: fetch all rows with one statement
    """
    for trips in (exchange.answering, *map(exchange.during, exchange.tasks)):
        for text, items in (*repeats(trips).items(), *single_rows(trips).items()):
            if len(items) >= limits.repeats:
                spent = milliseconds(sum(item.seconds for item in items))
                message = f"{len(items)} times in separate round trips, {spent} together: {shorten(text)}"
                fix = ROW_BY_ROW if items[-1].kind == "fetch" else _loop_fix(text)
                yield Breach(exchange.route, message, fix, items[0].text)


ROW_BY_ROW = "fetch many rows of the cursor at a time (itersize, yield_per, prefetch, FETCH 1000), or all rows at once"


def _loop_fix(text: str) -> str:
    """Return the usual repair of a repeated statement of this shape."""
    if text.startswith("select"):
        return (
            "a relationship loaded row by row: add .options(joinedload(…)) where each row has one parent, "
            "selectinload(…) for a collection, or aggregate it in the first statement (json_agg), and set lazy='raise' "
            "on the relationship; or a query in a for loop: WHERE key = ANY(:keys)"
        )
    if text.startswith("insert"):
        return "one INSERT for all rows: session.execute(insert(Model), [{…}, {…}]) or add_all() with one flush"
    if text.startswith(("update", "delete")):
        return "one statement for all rows: WHERE key = ANY(:keys), or UPDATE … FROM (VALUES …)"
    return "one statement for all rows"


PINGS = ("", "select ?")
"""What drivers and pools send to test a connection, normalised."""


@rule("ping-before-use", "error", "A request does not test its connection first")
def ping_before_use(exchange: Exchange) -> Iterator[Breach]:
    """Find requests that test a connection before they use it: `pool_pre_ping`, a check of the pool, `SELECT 1`.

    Why: the ping adds a round trip to every request, and the connection can still be lost right after it
    Fix: set pool_pre_ping=False, or remove the check of the pool: a lost connection costs one 503 that can be retried,
        and the pool opens new ones
    """
    trips = [trip for trip in exchange.recording.trips if trip.statements]
    used = {trip.connection: trip for trip in trips if not _is_ping(trip)}
    pings = [trip for trip in trips if _is_ping(trip) and trip.connection in used]
    pings = [trip for trip in pings if trip.started < used[trip.connection].started]
    if not pings:
        return
    spent, text = milliseconds(sum(trip.seconds for trip in pings)), pings[0].statements[0].text
    made = f"{plural(len(pings), 'round trip')}, {spent} together"
    message = f"{made}, only to test the connection: {shorten(text) or '(empty)'}"
    yield Breach(exchange.route, message)


def _is_ping(trip: RoundTrip) -> bool:
    return all(normalise(statement.text) in PINGS for statement in trip.statements)


@rule("query-budget", "error", "A request makes few queries")
def query_budget(exchange: Exchange, limits: Limits) -> Iterator[Breach]:
    """Find requests with more than 3 queries; a query is a distinct (connection, round trip, text).

    A statement that `query-loop` reports counts once.

    Why: every round trip adds network latency to the answer, and holds a connection that other requests wait for
    Fix: fetch related rows in one statement, or raise the budget of this test: @pytest.mark.query_budget(5, reason="…")
    """
    loops = [items for items in repeats(exchange.answering).values() if len(items) >= limits.repeats]
    if exchange.queries - sum(len(items) - 1 for items in loops) > limits.queries:
        made = plural(exchange.queries, "query", "queries")
        yield Breach(exchange.route, f"{made}, the budget is {limits.queries}\n{listing(exchange.answering)}")


@rule("connection-per-request", "error", "Requests use connections that are already open")
def connection_per_request(exchange: Exchange, limits: Limits) -> Iterator[Breach]:
    """Find requests that open a connection, whether sent alone or many at once.

    Why: opening a connection starts a server process and takes several round trips; a burst exhausts max_connections
    Fix: create one engine with one pool per process, open its connections before /ready answers 200, and use them
    """
    if exchange.connections <= limits.connections:
        return
    trips = [trip for trip in exchange.recording.trips if trip.connection in exchange.recording.opened]
    spent = sum(trip.seconds for trip in trips if trip.kind in ("set-up", "prepare"))
    message = f"{plural(exchange.connections, 'connection')} opened, {limits.connections} allowed"
    yield Breach(exchange.route, f"{message}; setting up took {milliseconds(spent)}")


@rule("count-in-list", "error", "A list does not count all its rows")
def count_in_list(exchange: Exchange) -> Iterator[Breach]:
    """Find GET requests that send, in addition to the list, a SELECT count(...) without GROUP BY.

    Why: count(*) reads every matching row, so the first page becomes slower with every row that is added
    Fix: use a cursor, and fetch one row more than the page to see whether there is a next one
    """
    texts = {text: item for (_, _, text), item in distinct(exchange.answering).items()}
    for text, item in texts.items():
        if exchange.route.startswith("GET ") and len(texts) > 1 and counts_rows(text):
            yield Breach(exchange.route, f"in addition to the list: {shorten(text)}", statement=item.text)


@rule("work-after-answer", "error", "The transaction ends before the answer begins")
def work_after_answer(exchange: Exchange) -> Iterator[Breach]:
    """Find statements for an answer that has begun already: COMMIT in a dependency with yield, a streaming session.

    A background task may do its work in transactions that it begins itself, and an event stream may query between its
    parts; a transaction that is open while a part is sent waits for the client.

    Why: a client that reads 200 expects its data to be saved, but a later COMMIT may fail; and a slow client keeps the
        connection in use
    Fix: commit inside the handler, and close the session before it returns: a dependency with yield ends after the
        answer is sent
    """
    answered = exchange.answered
    if answered is None:
        return
    trips = [trip for trip in exchange.answering if trip.statements and trip.kind != "set-up"]
    late = [trip for trip in trips if trip.started > answered]
    if not late:
        return
    texts = ", ".join(shorten(item.text, 60) for trip in late for item in trip.statements)
    message = f"after the answer had begun, {milliseconds(late[0].started - answered)} later: {texts}"
    yield Breach(exchange.route, message)


@rule("idle-in-transaction", "error", "A transaction does not wait for the app")
def idle_in_transaction(exchange: Exchange, limits: Limits) -> Iterator[Breach]:
    """Find transactions that are idle for more than a second during a request.

    Why: the app holds locks and a connection while it does something else, and other requests wait for them
    Fix: do slow work (calls to other services, files, sleeping) before BEGIN or after COMMIT
    """
    last: dict[int, RoundTrip] = {}
    for trip in exchange.recording.trips:
        before = last.get(trip.connection)
        if before and before.open and _unused(exchange.recording, before.ended, trip.started) > limits.idle:
            gap = milliseconds(trip.started - before.ended)
            begun = shorten(before.statements[-1].text, 80) if before.statements else before.kind
            message = f"the transaction on connection #{trip.connection} did nothing for {gap} after: {begun}"
            yield Breach(exchange.route, message)
        last[trip.connection] = trip


def _unused(recording: Recording, start: float, end: float) -> float:
    """Return the seconds in which the app could have run between two moments, and did not use the connection."""
    return end - start - recording.waited(start, end) if end > start else 0.0


@rule("transaction-left-open", "error", "A request ends every transaction that it begins", exempt=False)
def transaction_left_open(exchange: Exchange) -> Iterator[Breach]:
    """Find transactions that are still open 5 s after the app has finished the request.

    Why: an open transaction holds its locks, blocks VACUUM, and never returns its connection to the pool
    Fix: use the session or connection in a with block
    """
    if exchange.unsettled:
        yield Breach(exchange.route, exchange.unsettled)


@rule("still-at-work", "warning", "The work of a request ends within ten seconds of its answer")
def still_at_work(exchange: Exchange) -> Iterator[Breach]:
    """Find requests that the app still works on 10 s after their answer, in no transaction.

    Why: a platform stops a process 10 s after SIGTERM, and what it still does is lost
    Fix: give long work to a queue of jobs, or replace the slow service that it waits for in tests
    """
    if exchange.working:
        yield Breach(exchange.route, exchange.working)


@rule("pool-too-small", "error", "Concurrent requests are served concurrently")
def pool_too_small(recording: Recording, clients: int) -> Iterator[Breach]:
    """Find pools that serve twenty clients one after the other.

    Why: requests wait for a connection while the database is idle, and each client adds to the wait
    Fix: raise the size of the pool, and do not block the event loop in an async handler
    """
    if recording.most_busy < min(clients, 2):
        most = plural(recording.most_busy, "connection")
        yield Breach("pool", f"{clients} simultaneous clients were served by at most {most} at a time")


@dataclass(frozen=True, slots=True)
class Answers:
    """How often a route answered with each status."""

    route: str
    statuses: Mapping[int, int]


REFUSALS = {
    401: "log in: docs/api.md shows the fixture login, whose headers every request carries",
    403: "log in as a user who may use this route, in the fixture login",
    404: "let the route's example in tests/api/examples.py ask for something that exists",
}
UNREAD = {400, 405, 413, 415, 422}
"""What an app may answer before it looks at who asks."""


@rule("route-refused", "error", "A route serves some of its generated requests")
def route_refused(answers: Answers) -> Iterator[Breach]:
    """Find routes that answer every valid generated request with 401, 403 or 404.

    Why: nothing behind the refusal was tested, so a 500 for a user who is logged in is found in production
    Fix: log in with the fixture login in tests/api/conftest.py, and let the route's example ask for something that
        exists
    """
    refused = {status: count for status, count in answers.statuses.items() if status in REFUSALS}
    others = answers.statuses.keys() - REFUSALS.keys()
    if not refused or others - UNREAD or (others and refused.keys() == {404}):
        return
    counts = ", ".join(f"{plural(count, 'time')} {status}" for status, count in sorted(answers.statuses.items()))
    yield Breach(answers.route, f"no request was served: {counts}", REFUSALS[max(refused, key=refused.__getitem__)])


REQUEST = (
    query_loop,
    ping_before_use,
    query_budget,
    connection_per_request,
    count_in_list,
    work_after_answer,
    idle_in_transaction,
    transaction_left_open,
    still_at_work,
)
"""The rules of one request, the likely cause first."""

LIMITS = Limits()
"""What a request may do without a marker of its test."""


def judge(exchange: Exchange, limits: Limits = LIMITS) -> list[Finding]:
    """Return what a request breaks."""
    return [finding for check in REQUEST for finding in check(exchange, limits)]


def judge_pool(recording: Recording, clients: int) -> list[Finding]:
    """Return what `clients` at the same time break after the pool was warm."""
    return [*connection_per_request(Exchange("pool", recording), LIMITS), *pool_too_small(recording, clients)]


def judge_budget(test: str, limits: Limits, most: int) -> list[Finding]:
    """Judge the budget that a test's marker raises: `most` is the largest number of queries of its requests."""
    default = LIMITS.queries
    if limits.queries <= max(most, default):
        return []
    needed = f"{most} are enough" if most > default else f"the {default} that every request may make are enough"
    allowed = plural(limits.queries, "query", "queries")
    return stale_exemption([(test, f"the marker query_budget allows {allowed}, {needed}")])
