"""What a request did on the wire, counted and listed, and how much it may do."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.sql.normalise import normalise, shorten
from harness.wire.recording import Recording, RoundTrip, WireStatement
from harness.wire.statement_kinds import Kind


@dataclass(frozen=True, slots=True)
class Limits:
    """`repeats` is the number of separate trips in which one text is a loop; `idle` is in seconds."""

    queries: int = 3
    connections: int = 0
    repeats: int = 3
    idle: float = 1.0


@dataclass(frozen=True)
class Exchange:
    """One request and what it did on the wire. Moments are `time.perf_counter()` seconds.

    `route` is the method and the path template (`GET /v1/todos`), `seconds` the client's time, `items` the length of
    the list that it answered with. `answered` is when the app began to send its answer, None if that was not observed,
    and `ended` when it sent the last part. Of an event stream, `parts` is when the start and each part were sent and
    when the client left; `tasks` is when each background task began and ended. `unsettled` describes transactions that
    did not end, `working` what else the app still does.
    """

    route: str
    recording: Recording
    seconds: float = 0.0
    items: int | None = None
    answered: float | None = None
    ended: float | None = None
    parts: Sequence[float] = ()
    tasks: Sequence[tuple[float, float]] = ()
    unsettled: str = ""
    working: str = ""

    @property
    def queries(self) -> int:
        """Distinct (connection, round trip, text): an executemany in one trip is one query."""
        return len(distinct(self.answering))

    @property
    def trips(self) -> int:
        """Round trips, those left out that open a connection or prepare a statement, which a pool does now and then."""
        trips = self.answering
        return sum(trip.recurs or (trip.kind != "prepare" and bool(trip.statements)) for trip in trips)

    @property
    def connections(self) -> int:
        """Connections opened."""
        return len(self.recording.opened)

    @property
    def statements(self) -> list[WireStatement]:
        """The queries of the answer, in the order of their start."""
        return Recording(self.answering).queries

    @cached_property
    def answering(self) -> list[RoundTrip]:
        """The round trips of the answer: all but those of background tasks and between the parts of an event stream."""
        aside = {id(trip) for unit in transactions(self.recording.trips) if self._is_aside(unit) for trip in unit}
        return [trip for trip in self.recording.trips if id(trip) not in aside]

    def during(self, task: tuple[float, float]) -> list[RoundTrip]:
        """Return the round trips of a background task."""
        units = transactions(self.recording.trips)
        return [trip for unit in units if task[0] <= unit[0].started <= task[1] for trip in unit]

    def _is_aside(self, unit: Sequence[RoundTrip]) -> bool:
        """Return whether a transaction is one that neither delays the answer nor waits for the client.

        A framework may prepare a part of an event stream while it sends the one before; two sent parts are a wait.
        """
        begun, ended = unit[0].started, math.inf if unit[-1].open else unit[-1].ended
        if any(start <= begun <= end for start, end in self.tasks):
            return True
        streamed = self.parts and ended > self.parts[0] and begun < (self.ended or math.inf)
        return bool(streamed) and sum(begun < part < ended for part in self.parts) < 2


def transactions(trips: Sequence[RoundTrip]) -> Iterator[list[RoundTrip]]:
    """Yield the round trips of each transaction; what is sent outside of transactions is one by itself."""
    begun: dict[int, list[RoundTrip]] = defaultdict(list)
    for trip in trips:
        begun[trip.connection].append(trip)
        if not trip.open:
            yield begun.pop(trip.connection)
    yield from begun.values()


def distinct(trips: Sequence[RoundTrip], kind: Kind = "query") -> dict[tuple[int, int, str], WireStatement]:
    """Return the statements of a kind by connection, number of the round trip and normalised text."""
    found: dict[tuple[int, int, str], WireStatement] = {}
    for number, trip in enumerate(trips):
        for statement in trip.statements:
            if statement.kind == kind:
                found.setdefault((trip.connection, number, normalise(statement.query)), statement)
    return found


def repeats(trips: Sequence[RoundTrip]) -> dict[str, list[WireStatement]]:
    """Return the queries by their normalised text."""
    found: dict[str, list[WireStatement]] = defaultdict(list)
    for (_, _, text), statement in distinct(trips).items():
        found[text].append(statement)
    return found


def single_rows(trips: Sequence[RoundTrip]) -> dict[str, list[WireStatement]]:
    """Return what got one row of a cursor, by its normalised text: fetching many at a time is what a cursor is for."""
    fetched = distinct(trips, "fetch")
    cursors = {text for _, _, text in fetched}
    found: dict[str, list[WireStatement]] = defaultdict(list)
    for (_, _, text), statement in (distinct(trips) | fetched).items():
        if text in cursors and statement.rows == 1:
            found[text].append(statement)
    return found


def listing(trips: Sequence[RoundTrip], most: int = 20) -> str:
    """Every round trip on a line: its time, its connection, and its statements, shortened.

    A query that repeats is on one line, with the time of all. Of more than `most` lines those in the middle are left
    out.
    """
    repeated = {text: items for text, items in repeats(trips).items() if len(items) > 1}
    lines: dict[object, str] = {}
    for number, trip in enumerate(trips):
        texts = dict.fromkeys(item.text for item in trip.statements)
        for text in texts or {f"({trip.kind})": None}:
            again = repeated.get(normalise(text), [])
            spent = milliseconds(sum(item.seconds for item in again) or trip.seconds)
            notes = [f"{len(again)} times"] * bool(again) + [trip.sqlstate] * bool(trip.sqlstate)
            shown = "".join(f"  [{note}]" for note in notes)
            key = normalise(text) if again else (number, text)
            lines.setdefault(key, f"    {spent:>9}  #{trip.connection}  {shorten(text)}{shown}")
    return "\n".join(_cut(list(lines.values()), most))


def _cut(lines: list[str], most: int) -> list[str]:
    """Return the first lines and the last one, and between them how many there are."""
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"    … and {len(lines) - most} more", lines[-1]]


def milliseconds(seconds: float) -> str:
    """Return a time as a person reads it."""
    return f"{seconds * 1000:.1f} ms"
