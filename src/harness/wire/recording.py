"""What happened on the wire: statements, round trips, and the cut of both that belongs to one request."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["set-up", "prepare", "transaction control", "query"]
KINDS: tuple[Kind, ...] = ("set-up", "prepare", "transaction control", "query")

_control = re.compile(
    r"\s*(begin|start\s+transaction|commit|rollback|end|abort|savepoint|release|prepare\s+transaction)\b[^;]*;?\s*",
    re.IGNORECASE,
)
_setup = re.compile(r"\s*((set|reset|show|discard|deallocate|listen|unlisten)\b[^;]*)?;?\s*", re.IGNORECASE)


def kind_of(statement: str) -> Kind:
    """What a statement is for; an empty one, which drivers send to see if anyone is there, counts as set-up."""
    if _control.fullmatch(statement):
        return "transaction control"
    return "set-up" if _setup.fullmatch(statement) else "query"


@dataclass(slots=True)
class WireStatement:
    """One execution of one statement.

    `types` are the parameter types that the client declared (oids, 0 = left to the server). `seconds` is the time
    from the message to its completion; `rows` those returned or changed; `sqlstate` is "" unless it failed.
    """

    text: str
    kind: Kind
    started: float
    types: tuple[int, ...] = ()
    seconds: float = 0.0
    rows: int = 0
    sqlstate: str = ""


@dataclass(slots=True)
class RoundTrip:
    """The time that a client waited once: all that it sent, until the server owed it nothing more.

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

    @property
    def seconds(self) -> float:
        """How long the client waited."""
        return self.ended - self.started

    def raise_kind(self, kind: Kind) -> None:
        """A trip is named after the weightiest thing that it carries."""
        if KINDS.index(kind) > KINDS.index(self.kind):
            self.kind = kind


@dataclass(slots=True, eq=False)
class Recording:
    """All that began on the wire between two moments; the observer fills it while it is open.

    `opened` holds the numbers of the connections opened meanwhile, `cancels` counts cancel requests and `tls` the
    clients that asked for TLS and went away without it.
    """

    trips: list[RoundTrip] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    cancels: int = 0
    tls: int = 0
    most_busy: int = 0
    """The most connections that were waiting for the server, or stood in a transaction, at one moment."""

    @property
    def statements(self) -> list[WireStatement]:
        """Every statement in the order of its start."""
        return sorted((item for trip in self.trips for item in trip.statements), key=lambda item: item.started)

    @property
    def texts(self) -> list[str]:
        """The texts of `statements`."""
        return [item.text for item in self.statements]

    @property
    def kinds(self) -> Counter[str]:
        """Round trips by kind."""
        return Counter(trip.kind for trip in self.trips)

    @property
    def sqlstates(self) -> Counter[str]:
        """Errors of the server by SQLSTATE."""
        return Counter(trip.sqlstate for trip in self.trips if trip.sqlstate)
