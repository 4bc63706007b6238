"""What a request did on the wire, counted and listed, and how much it may do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

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
    None if that was not observed; `unsettled` describes connections that did not become idle.
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
        return len(distinct(self.recording.trips))

    @property
    def trips(self) -> int:
        """Round trips, those left out that open a connection."""
        return sum(bool(trip.statements) or trip.kind != "set-up" for trip in self.recording.trips)

    @property
    def connections(self) -> int:
        """Connections opened."""
        return len(self.recording.opened)


def distinct(trips: Sequence[RoundTrip]) -> dict[tuple[int, int, str], WireStatement]:
    """Return the queries by connection, number of the round trip and normalised text."""
    found: dict[tuple[int, int, str], WireStatement] = {}
    for number, trip in enumerate(trips):
        for statement in trip.statements:
            if statement.kind == "query":
                found.setdefault((trip.connection, number, normalise(statement.text)), statement)
    return found


def repeats(trips: Sequence[RoundTrip]) -> dict[str, list[WireStatement]]:
    """Return the queries by their normalised text."""
    found: dict[str, list[WireStatement]] = defaultdict(list)
    for (_, _, text), statement in distinct(trips).items():
        found[text].append(statement)
    return found


def listing(recording: Recording) -> str:
    """Every round trip on a line: its time, its connection, and its statements, shortened; repeated ones marked."""
    counts = {text: len(items) for text, items in repeats(recording.trips).items()}
    lines = []
    for trip in recording.trips:
        texts = dict.fromkeys(item.text for item in trip.statements)
        for text in texts or {f"({trip.kind})": None}:
            times = counts.get(normalise(text), 1)
            again = f"  [{times} times]" if times > 1 else ""
            state = f"  [{trip.sqlstate}]" if trip.sqlstate else ""
            lines.append(f"    {milliseconds(trip.seconds):>9}  #{trip.connection}  {shorten(text)}{again}{state}")
    return "\n".join(lines)


def milliseconds(seconds: float) -> str:
    """Return a time as a person reads it."""
    return f"{seconds * 1000:.1f} ms"
