"""What a request may cost: queries, connections, repetition, and what it may leave open while it answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from harness.api.rules import (
    BUDGET_STALE,
    CONNECTION_PER_REQUEST,
    COUNT_IN_LIST,
    IDLE_IN_TRANSACTION,
    PING_BEFORE_USE,
    QUERY_BUDGET,
    QUERY_LOOP,
    TRANSACTION_LEFT_OPEN,
    WORK_AFTER_ANSWER,
)
from harness.findings import Finding
from harness.sql.counts import counts_rows
from harness.sql.normalise import normalise, shorten
from harness.wire.recording import Recording, RoundTrip, WireStatement


@dataclass(frozen=True, slots=True)
class Limits:
    """`repeats` is the number of separate trips in which one text is a loop; `idle` is in seconds."""

    queries: int = 3
    connections: int = 0
    repeats: int = 3
    idle: float = 1.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what it did on the wire.

    `route` is the method and the path (`GET /v1/todos`), `seconds` the client's time, `items` the length of the list
    that it answered with. `answered` is the moment (`time.perf_counter()`) at which the app began to send its answer,
    None where nobody looked; `unsettled` tells of connections that did not come to rest.
    """

    route: str
    recording: Recording
    seconds: float = 0.0
    items: int | None = None
    answered: float | None = None
    unsettled: str = ""

    @property
    def queries(self) -> int:
        """Distinct (connection, round trip, text): an executemany in one trip is one query."""
        return len(_distinct(self.recording.trips))

    @property
    def trips(self) -> int:
        """Round trips, those left out that open a connection."""
        return sum(bool(trip.statements) or trip.kind != "set-up" for trip in self.recording.trips)

    @property
    def connections(self) -> int:
        """Connections opened."""
        return len(self.recording.opened)


def judge(exchange: Exchange, limits: Limits = Limits()) -> list[Finding]:
    """Every rule that the request breaks, the likely cause first."""
    found = [
        *_loops(exchange, limits),
        *_pings(exchange),
        *_budget(exchange, limits),
        *_connections(exchange, limits),
        *_counts(exchange),
        *_after_answer(exchange),
        *_idle(exchange, limits),
    ]
    if exchange.unsettled:
        found.append(Finding(TRANSACTION_LEFT_OPEN, exchange.route, exchange.unsettled))
    return found


def judge_budget(test: str, limits: Limits, most: int) -> list[Finding]:
    """Judge the budget that a test's marker raises: `most` is the largest number of queries of its requests."""
    default = Limits().queries
    if limits.queries <= max(most, default):
        return []
    needed = f"{most} are enough" if most > default else f"the {default} that every request may make are enough"
    return [Finding(BUDGET_STALE, test, f"the marker query_budget allows {limits.queries} queries, {needed}")]


def _distinct(trips: Sequence[RoundTrip]) -> dict[tuple[int, int, str], WireStatement]:
    distinct: dict[tuple[int, int, str], WireStatement] = {}
    for number, trip in enumerate(trips):
        for statement in trip.statements:
            if statement.kind == "query":
                distinct.setdefault((trip.connection, number, normalise(statement.text)), statement)
    return distinct


def _repeats(trips: Sequence[RoundTrip]) -> dict[str, list[WireStatement]]:
    repeats: dict[str, list[WireStatement]] = defaultdict(list)
    for (_, _, text), statement in _distinct(trips).items():
        repeats[text].append(statement)
    return repeats


def _loops(exchange: Exchange, limits: Limits) -> list[Finding]:
    return [
        Finding(
            QUERY_LOOP,
            exchange.route,
            f"{len(items)} times in separate round trips, {_ms(sum(item.seconds for item in items))} together: "
            f"{shorten(text)}",
            fix=_loop_cure(text),
            statement=items[0].text,
        )
        for text, items in _repeats(exchange.recording.trips).items()
        if len(items) >= limits.repeats
    ]


def _loop_cure(text: str) -> str:
    """What usually stands behind a repeated statement of this shape."""
    if text.startswith("select"):
        return (
            "a relationship loaded row by row: add .options(selectinload(…)) or aggregate it in the first statement "
            "(json_agg), and set lazy='raise' on the relationship; or a query in a for loop: WHERE key = ANY(:keys)"
        )
    if text.startswith("insert"):
        return "one INSERT for all rows: session.execute(insert(Model), [{…}, {…}]) or add_all() with one flush"
    if text.startswith(("update", "delete")):
        return "one statement for all rows: WHERE key = ANY(:keys), or UPDATE … FROM (VALUES …)"
    return "one statement for all rows"


PINGS = ("", "select ?")
"""What drivers and pools send to see if anyone is there, normalised."""


def _pings(exchange: Exchange) -> list[Finding]:
    """Trips that only ask whether the connection lives, on connections that are used after that."""
    trips = [trip for trip in exchange.recording.trips if trip.statements]
    used = {trip.connection: trip for trip in trips if not _is_ping(trip)}
    pings = [trip for trip in trips if _is_ping(trip) and trip.connection in used]
    pings = [trip for trip in pings if trip.started < used[trip.connection].started]
    if not pings:
        return []
    spent, text = _ms(sum(trip.seconds for trip in pings)), pings[0].statements[0].text
    message = (
        f"{len(pings)} round trips, {spent} together, only to see if anyone is there: {shorten(text) or '(empty)'}"
    )
    return [Finding(PING_BEFORE_USE, exchange.route, message)]


def _is_ping(trip: RoundTrip) -> bool:
    return all(normalise(statement.text) in PINGS for statement in trip.statements)


def _budget(exchange: Exchange, limits: Limits) -> list[Finding]:
    if exchange.queries <= limits.queries:
        return []
    return [
        Finding(
            QUERY_BUDGET,
            exchange.route,
            f"{exchange.queries} queries, the budget is {limits.queries}\n{listing(exchange.recording)}",
        )
    ]


def listing(recording: Recording) -> str:
    """Every round trip on a line: its time, its connection, and its statements, shortened; repeated ones marked."""
    repeats = {text: len(items) for text, items in _repeats(recording.trips).items()}
    lines = []
    for trip in recording.trips:
        texts = dict.fromkeys(item.text for item in trip.statements)
        for text in texts or {f"({trip.kind})": None}:
            times = repeats.get(normalise(text), 1)
            again = f"  [{times} times]" if times > 1 else ""
            state = f"  [{trip.sqlstate}]" if trip.sqlstate else ""
            lines.append(f"    {_ms(trip.seconds):>9}  #{trip.connection}  {shorten(text)}{again}{state}")
    return "\n".join(lines)


def _connections(exchange: Exchange, limits: Limits) -> list[Finding]:
    if exchange.connections <= limits.connections:
        return []
    trips = [trip for trip in exchange.recording.trips if trip.connection in exchange.recording.opened]
    spent = sum(trip.seconds for trip in trips if trip.kind == "set-up")
    message = f"{exchange.connections} connections opened, {limits.connections} allowed; setting up took {_ms(spent)}"
    return [Finding(CONNECTION_PER_REQUEST, exchange.route, message)]


def _counts(exchange: Exchange) -> list[Finding]:
    texts = {text: item for (_, _, text), item in _distinct(exchange.recording.trips).items()}
    if not exchange.route.startswith("GET ") or len(texts) < 2:
        return []
    return [
        Finding(COUNT_IN_LIST, exchange.route, f"beside the list itself: {shorten(text)}", statement=item.text)
        for text, item in texts.items()
        if counts_rows(text)
    ]


def _after_answer(exchange: Exchange) -> list[Finding]:
    answered = exchange.answered
    if answered is None:
        return []
    late = [trip for trip in exchange.recording.trips if trip.started > answered and trip.statements]
    if not late:
        return []
    texts = ", ".join(shorten(item.text, 60) for trip in late for item in trip.statements)
    message = f"after the answer had begun, {_ms(late[0].started - answered)} later: {texts}"
    return [Finding(WORK_AFTER_ANSWER, exchange.route, message)]


def _idle(exchange: Exchange, limits: Limits) -> list[Finding]:
    last: dict[int, RoundTrip] = {}
    found = []
    for trip in exchange.recording.trips:
        before = last.get(trip.connection)
        if before and before.status in "TE" and trip.started - before.ended > limits.idle:
            gap = _ms(trip.started - before.ended)
            begun = shorten(before.statements[-1].text, 80) if before.statements else before.kind
            message = f"the transaction on connection #{trip.connection} did nothing for {gap} after: {begun}"
            found.append(Finding(IDLE_IN_TRANSACTION, exchange.route, message))
        last[trip.connection] = trip
    return found


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
