"""Recordings of the wire: statements, round trips, and those of one request."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.wire.statement_kinds import KINDS, Kind, declared_query


@dataclass(slots=True)
class WireStatement:
    """One execution of one statement.

    `types` are the parameter types that the client declared (oids; 0: the server infers it). `started` is in
    `time.perf_counter()` seconds, `seconds` the time from the message to its completion, `rows` the number of rows
    returned or changed, `sqlstate` is "" unless it failed.
    """

    text: str
    kind: Kind
    started: float
    types: tuple[int, ...] = ()
    seconds: float = 0.0
    rows: int = 0
    sqlstate: str = ""

    @property
    def query(self) -> str:
        """The text or, of a cursor, what it is declared for: drivers give each cursor another name."""
        return declared_query(self.text)


@dataclass(slots=True)
class RoundTrip:
    """One wait of a client: all that it sent, until the server had answered it.

    `connection` numbers the connections of an observer from 1; `started` and `ended` are `time.perf_counter()`
    seconds; `status` is the transaction status it ended with (`I` idle, `T` in a transaction, `E` in a failed one).
    """

    connection: int
    started: float
    ended: float = 0.0
    kind: Kind = "set-up"
    statements: list[WireStatement] = field(default_factory=list)
    sqlstate: str = ""
    status: str = ""
    complete: bool = True
    recurs: bool = False
    """Whether it runs no statement and is not made once a connection: it opens a cursor, or prepares again."""

    @property
    def seconds(self) -> float:
        """Seconds that the client waited."""
        return self.ended - self.started

    @property
    def open(self) -> bool:
        """Whether it ended in a transaction."""
        return self.status in ("T", "E")

    def raise_kind(self, kind: Kind) -> None:
        """Set the kind of the trip to the highest of its statements' kinds, in the order of `KINDS`."""
        if KINDS.index(kind) > KINDS.index(self.kind):
            self.kind = kind


@dataclass(slots=True, eq=False)
class Recording:
    """All that began on the wire between two moments; the observer fills it while it is open.

    `opened` holds the numbers of the connections opened in that time, `cancels` counts cancel requests and `tls` the
    clients that asked for TLS and left without it.
    """

    trips: list[RoundTrip] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    cancels: int = 0
    tls: int = 0
    most_busy: int = 0
    """The largest number of connections that waited for the server, or were in a transaction, at one time."""
    waits: list[tuple[float, float]] = field(default_factory=list)
    """Moments, and for how many seconds the threads of this process had waited for a processor until then."""

    def waited(self, start: float, end: float) -> float:
        """Return for how many seconds threads of this process waited for a processor between two moments."""
        before = [seconds for moment, seconds in self.waits if moment <= start][-1:]
        inside = [seconds for moment, seconds in self.waits if start < moment < end]
        after = [seconds for moment, seconds in self.waits if moment >= end][:1]
        seen = [*before, *inside, *after]
        return seen[-1] - seen[0] if seen else 0.0

    @property
    def statements(self) -> list[WireStatement]:
        """All statements, in the order of their start."""
        return sorted((item for trip in self.trips for item in trip.statements), key=lambda item: item.started)

    @property
    def queries(self) -> list[WireStatement]:
        """The statements that are no set-up and no transaction control."""
        return [item for item in self.statements if item.kind == "query"]

    @property
    def texts(self) -> list[str]:
        """The texts of `statements`."""
        return [item.text for item in self.statements]

    @property
    def kinds(self) -> Counter[str]:
        """The number of round trips by kind."""
        return Counter(trip.kind for trip in self.trips)

    @property
    def sqlstates(self) -> Counter[str]:
        """The number of errors of the server by SQLSTATE."""
        return Counter(trip.sqlstate for trip in self.trips if trip.sqlstate)
