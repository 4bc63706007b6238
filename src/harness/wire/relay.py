"""Relays one client's connection to the server: bytes pass on as they come, and the protocol state follows them."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Protocol

from harness.wire import messages
from harness.wire.faults import Fault, FaultKind
from harness.wire.protocol import ProtocolState

DELAYED = 1 << 20
"""Bytes that may wait for the added latency before the client is paused."""

_NO_TLS_ALERT = bytes.fromhex("15030100020228")  # a TLS alert record: fatal, handshake_failure (RFC 8446, section 6)


class _Hub(Protocol):
    """The part of the observer that relays use: each reports to it, and reads what all share."""

    relays: set[Relay]
    faults: list[Fault]
    latency: float
    disturbed: bool

    async def reach(self, factory: type[Upstream], relay: Relay) -> asyncio.Transport: ...
    def joined(self) -> ProtocolState: ...
    def started(self) -> None: ...
    def rested(self) -> None: ...
    def cancelled(self, key: bytes) -> None: ...
    def asked_for_tls(self) -> None: ...
    def left(self, relay: Relay) -> None: ...


class Relay(asyncio.Protocol):
    """The client's side of a connection, and what both sides share."""

    def __init__(self, hub: _Hub, login: Callable[[bytes], bytes] = bytes) -> None:
        self._hub = hub
        self._login = login  # what the server gets instead of the start-up packet
        self.state: ProtocolState | None = None
        self.client: asyncio.Transport | None = None
        self.server: asyncio.Transport | None = None
        self._start = bytearray()  # untyped packets of the start-up, and all bytes until the server is connected
        self._reaching: asyncio.Task[None] | None = None
        self._asked_tls = False
        self._from_client = messages.Splitter(b"d")
        self._from_server = messages.Splitter(b"Dd")
        self._delayed: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._losing = False  # the answers of this connection are withheld
        self.stalled: list[bytes] | None = None  # what waits for the end of a stall

    def __str__(self) -> str:
        """Return, for an error message, the state of the connection."""
        return str(self.state or "a client in its start-up")

    @property
    def at_rest(self) -> bool:
        """Whether nothing is in progress: no start-up, no owed answer, no transaction."""
        return self.state is not None and (self.state.streaming or not self.state.busy)

    # from the client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the client."""
        assert isinstance(transport, asyncio.Transport)
        self.client = transport
        self._hub.relays.add(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client."""
        if self.state is None or self.server is None:
            self._start += data
            if self._reaching is None:
                self._begin()
            return
        began_idle = self.state.trip is None
        fault = None
        for kind, body, _ in self._from_client.feed(data):
            statement = self.state.sent(chr(kind), body)
            if statement is not None and fault is None:
                fault = next((item for item in self._hub.faults if item.applies(statement.text)), None)
        if began_idle and self.state.trip is not None:
            self._hub.started()
        if fault is not None:
            self._fault(fault.kind, data)
        else:
            self._forward(data)

    def _begin(self) -> None:
        if self._start[:1] == b"\x16":  # a TLS handshake without asking first (sslnegotiation=direct)
            self._asked_tls = True
            self._answer(_NO_TLS_ALERT, last=True)
            return
        if len(self._start) < 8:
            return
        length, code = struct.unpack_from("!II", self._start)
        if length < 8 or length > messages.LONGEST_STARTUP:
            word = f"the first packet claims {length} bytes, and a start-up of the Postgres protocol has not so many"
            self._answer(messages.error("08P01", word, "find out which program connects to this port"), last=True)
        elif len(self._start) >= length and code in (messages.TLS, messages.GSS):
            self._asked_tls = self._asked_tls or code == messages.TLS
            del self._start[:length]
            self._answer(b"N")
            if self._start:
                self._begin()
        elif len(self._start) >= length:
            self._asked_tls = False
            self._reaching = asyncio.ensure_future(self._reach(length, cancel=code == messages.CANCEL))

    async def _reach(self, length: int, *, cancel: bool) -> None:
        if cancel:
            self._hub.cancelled(bytes(self._start[8:length]))
        else:
            self.state = self._hub.joined()
            self._hub.started()
        try:
            self.server = await self._hub.reach(Upstream, self)
        except OSError as error:
            word = f"the observer cannot reach the server behind it: {error}"
            self._answer(messages.error("08006", word, "start the server, or give the observer its address"), last=True)
            return
        if self.client is None or self.client.is_closing():
            self.server.abort()
            return
        first, rest = self._login(bytes(self._start[:length])), bytes(self._start[length:])
        self._start.clear()
        self._forward(first)
        if rest:
            self.data_received(rest)

    def _fault(self, kind: FaultKind, data: bytes) -> None:
        """Do a fault to the bytes that hold its statement."""
        if kind == "stall":
            self.stalled = [data]
        elif kind == "lose answer":
            self._losing = True
            self._forward(data)
        else:
            if kind == "reset":
                self._forward(data)
                self._flush()
            self.break_off()

    # to the server

    def _forward(self, data: bytes) -> None:
        if self.server is None:
            return
        if self.stalled is not None:
            self.stalled.append(data)
        elif self._hub.latency or self._delayed:
            loop = asyncio.get_running_loop()
            self._delayed.append((loop.time() + self._hub.latency, data))
            if self._timer is None:
                self._timer = loop.call_at(self._delayed[0][0], self._arrive)
            if self.client is not None and sum(len(item) for _, item in self._delayed) > DELAYED:
                self.client.pause_reading()
        else:
            self.server.write(data)

    def _arrive(self) -> None:
        """Send the server what has waited for its latency."""
        self._timer = None
        loop = asyncio.get_running_loop()
        self._flush(loop.time() + 0.0005)
        if self._delayed:
            self._timer = loop.call_at(self._delayed[0][0], self._arrive)
        if self.client is not None and not self.client.is_closing():
            self.client.resume_reading()

    def _flush(self, due: float = math.inf) -> None:
        """Send the server what waits for its latency until `due`, by default all."""
        while self._delayed and self._delayed[0][0] <= due:
            data = self._delayed.popleft()[1]
            if self.server is not None:
                self.server.write(data)

    def release(self) -> None:
        """End a stall, and forward what waited."""
        waiting, self.stalled = self.stalled or [], None
        for data in waiting:
            self._forward(data)

    # from the server

    def server_sent(self, data: bytes) -> None:
        """Take bytes from the server."""
        if self.state is not None:
            for kind, body, count in self._from_server.feed(data):
                self.state.answered(chr(kind), body, count)
        if self._losing:
            if self.state is not None and self.state.trip is None:
                self.break_off()
        elif self.client is not None:
            self.client.write(data)
        if self.state is not None and not self.state.busy:
            self._hub.rested()

    def server_left(self) -> None:
        """Close the client's side, after all that was sent, when the server has closed its own."""
        self.server = None
        if self.client is not None:
            if self.state is not None and not self.state.parting:
                self._hub.disturbed = True
            self.client.close()

    # either side slower than the other

    def pause_writing(self) -> None:
        """Pause the server while the client reads slowly."""
        if self.server is not None:
            self.server.pause_reading()

    def resume_writing(self) -> None:
        """Resume the server."""
        if self.server is not None:
            self.server.resume_reading()

    # the end

    def connection_lost(self, _: Exception | None) -> None:
        """Send the server what was delayed, and close its side, when the client has disconnected."""
        if self._asked_tls:
            self._hub.asked_for_tls()
        if self._timer is not None:
            self._timer.cancel()
        self._flush()
        if self.server is not None:
            self.server.close()
        self.client = None
        if self.state is not None:
            self.state.closed()
        self._hub.left(self)

    def break_off(self) -> None:
        """Reset the connection: the client reads an error, not an end, and the server loses its client."""
        self._delayed.clear()
        self.stalled = None
        if self.client is not None:
            sock = self.client.get_extra_info("socket")
            if sock is not None and sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.client.abort()
        if self.server is not None:
            self.server.close()

    def _answer(self, data: bytes, *, last: bool = False) -> None:
        if self.client is not None:
            self.client.write(data)
            if last:
                self.client.close()


class Upstream(asyncio.Protocol):
    """The server's side of a relay."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self.data_received = relay.server_sent  # type: ignore[method-assign]  # one call less for every chunk

    def connection_lost(self, _: Exception | None) -> None:
        """Tell the relay that the server has closed."""
        self._relay.server_left()

    def pause_writing(self) -> None:
        """Pause the client while the server reads slowly."""
        if self._relay.client is not None:
            self._relay.client.pause_reading()

    def resume_writing(self) -> None:
        """Resume the client."""
        if self._relay.client is not None:
            self._relay.client.resume_reading()
