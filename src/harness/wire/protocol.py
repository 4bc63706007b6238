"""The protocol state of one connection: what the client has sent, and which answers the server still owes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from harness.wire import messages
from harness.wire.recording import RoundTrip, WireStatement
from harness.wire.statement_kinds import Kind, asks_about_session, asks_about_types, kind_of

_ANSWERS = {"P": "1", "B": "2", "C": "3", "D": "Tn", "E": "CIs", "S": "Z", "Q": "Z", "F": "Z", "p": "Z"}
"""The messages that end the answer to each message; `p` is the start-up too."""

_ASKS_NOW = "SQFHp"
"""Messages after which a client waits; after any other it sends more before the server answers."""


@dataclass(slots=True)
class _Owed:
    """An answer to come: the letter of the client's message, and the statement that it runs."""

    sent: str
    statement: WireStatement | None = None
    rows: int = 0


@dataclass(slots=True)
class _Portal:
    """A bound statement: its text, parameter types and values, and whether it has begun to return rows."""

    text: str
    types: tuple[int, ...] = ()
    values: bytes = b""
    begun: bool = False


class ProtocolState:
    """Follows one connection, and calls `finished` with each round trip when it ends; `trip` is the one in progress."""

    def __init__(self, number: int, finished: Callable[[RoundTrip], None]) -> None:
        self._number = number
        self._finished = finished
        self._prepared: dict[str, tuple[str, tuple[int, ...]]] = {}
        self._portals: dict[str, _Portal] = {}
        self._ever: set[str] = set()  # prepared, perhaps under other names
        self._asked: set[tuple[str, bytes]] = set()
        self._queried = False
        self._owed: deque[_Owed] = deque()
        self.trip: RoundTrip | None = None
        self._waiting = False
        self._skipping = False
        self._recurs = False
        self._last = "(start-up)"
        self.status = ""
        self.key = b""
        self.streaming = False
        self.parting = False
        self.sent("p", b"")

    @property
    def busy(self) -> bool:
        """Whether the server owes an answer, or the connection is in a transaction."""
        return self.trip is not None or self.status != "I"

    @property
    def in_transaction(self) -> bool:
        """Whether the connection is in a transaction, as of the server's last answer."""
        return self.status in ("T", "E")

    def __str__(self) -> str:
        """Return, for an error message, the connection, its state, and the last statement that it sent."""
        waiting = ["waits for the server"] if self.trip is not None else []
        open_ = [f"is in a transaction ({self.status})"] if self.in_transaction else []
        state = " and ".join(waiting + open_)
        return f"connection {self._number} {state}, last statement: {' '.join(self._last.split())[:200]}"

    def sent(self, letter: str, body: bytes) -> WireStatement | None:
        """Note a message of the client; return the statement that it runs, if any."""
        if letter == "X":
            self.parting = True
            return None
        if letter in "cfd":  # data and end of a COPY, which the COPY's answer covers
            return None
        if letter == "H" and self.trip is None:  # a Flush after the last answer has no answer: libpq sends one
            return None
        if self.trip is None:
            self.trip = RoundTrip(self._number, perf_counter())
        self._waiting = letter in _ASKS_NOW
        if self._skipping and letter != "S":
            return None
        statement = self._read(letter, body)
        if letter == "S":
            self._skipping = False
        if letter in _ANSWERS:
            self._owed.append(_Owed(letter, statement))
        return statement

    def _read(self, letter: str, body: bytes) -> WireStatement | None:
        if letter == "Q":
            return self._run(_Portal(messages.text(body)[0]))
        if letter == "P":
            name, text, types = messages.parse(body)
            self._prepared[name] = (text, types)
            self._recurs = self._recurs or text in self._ever
            self._ever.add(text)
            self._raise_kind("prepare")
        elif letter == "B":
            portal, name, values = messages.bind(body)
            unseen = (f"(prepared statement {name}, whose text was not seen)", ())
            self._portals[portal] = _Portal(*self._prepared.get(name, unseen), values)
            self._recurs = True
        elif letter == "D" and body.startswith(b"P"):
            self._recurs = True
        elif letter == "E":
            return self._run(self._portals.get(messages.text(body)[0], _Portal("(portal whose text was not seen)")))
        elif letter == "F":
            return self._run(_Portal("(function call)"))
        return None

    def _run(self, portal: _Portal) -> WireStatement:
        kind = "fetch" if portal.begun else self._kind(portal)
        statement = WireStatement(portal.text, kind, perf_counter(), portal.types)
        portal.begun = True
        self._last = portal.text
        if self.trip is not None:
            self.trip.statements.append(statement)
        self._raise_kind(kind)
        return statement

    def _kind(self, portal: _Portal) -> Kind:
        """Return the kind; a driver asks about a type or the session once on a connection, an app again and again."""
        asked = portal.text, portal.values
        unasked = asked not in self._asked and not (self._queried and asks_about_session(portal.text))
        if unasked and (asks_about_types(portal.text) or asks_about_session(portal.text)):
            self._asked.add(asked)
            return "prepare"
        kind = kind_of(portal.text)
        self._queried = self._queried or kind == "query"
        return kind

    def _raise_kind(self, kind: Kind) -> None:
        if self.trip is not None:
            self.trip.raise_kind(kind)

    def answered(self, letter: str, body: bytes, count: int) -> None:
        """Note a message of the server."""
        owed = self._owed[0] if self._owed else None
        if letter == "K":
            self.key = body
        elif letter == "W":
            self.streaming = True
        elif letter == "E":
            self._failed(messages.sqlstate(body), owed)
        elif letter == "R" and messages.number(body) not in (0, 12) and owed and owed.sent == "p":
            self._settle()  # an authentication request: the client's answer is the next round trip
        elif owed is None:
            return
        elif letter == "D":
            owed.rows += count
        elif letter == "G" and owed.sent == "E":
            # A COPY from the client: the server ignores every Sync sent before the data ends.
            self._owed = deque(item for item in self._owed if item.sent != "S")
            self._waiting = False
        elif letter == "Z":
            self._ready(body)
        elif letter in "CI" and owed.sent == "Q":
            self._complete(owed, body if letter == "C" else b"")
        elif letter in _ANSWERS[owed.sent]:
            self._complete(owed, body if letter == "C" else b"")
            self._settle()

    def _complete(self, owed: _Owed, tag: bytes) -> None:
        if owed.statement is not None:
            counted = messages.rows(tag)
            owed.statement.seconds = perf_counter() - owed.statement.started
            owed.statement.rows += owed.rows if counted is None else counted
            owed.rows = 0

    def _settle(self) -> None:
        self._owed.popleft()
        if not self._owed and self._waiting:
            self._end()

    def _failed(self, code: str, owed: _Owed | None) -> None:
        if self.trip is not None:
            self.trip.sqlstate = self.trip.sqlstate or code
        if owed is None:
            return
        if owed.statement is not None:
            owed.statement.sqlstate = code
            self._complete(owed, b"")
        if owed.sent in "PBDEC":  # the server skips to the next Sync
            while self._owed and self._owed[0].sent != "S":
                self._owed.popleft()
            self._skipping = not self._owed
            if self._skipping and self._waiting:
                self._end()

    def _ready(self, body: bytes) -> None:
        self.status = body[:1].decode()
        while self._owed:
            if self._owed.popleft().sent in "SQFp":
                break
        if not self._owed and self._waiting:
            if self.status == "I":
                self._portals.clear()
            self._end()

    def _end(self, *, complete: bool = True) -> None:
        if self.trip is not None:
            self.trip.ended = perf_counter()
            self.trip.status = self.status
            self.trip.complete = complete
            self.trip.recurs = self._recurs and not self.trip.statements
            self._recurs = False
            trip, self.trip = self.trip, None
            self._finished(trip)

    def closed(self) -> None:
        """Note the end of the connection; a round trip in progress ends without an answer."""
        for owed in self._owed:
            if owed.statement is not None:
                owed.statement.seconds = perf_counter() - owed.statement.started
        self._end(complete=False)
        self.status = "I"
