"""Relays one client's connection to the server: bytes pass on as they come, and the protocol state follows them."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from typing import Protocol

from harness.wire import messages
from harness.wire.faults import Fault, FaultKind
from harness.wire.protocol import ProtocolState

DELAYED = 1 << 20
"""Bytes that may wait for their injected latency before the client is held back."""

_NO_TLS_ALERT = bytes.fromhex("15030100020228")  # a TLS alert record: fatal, handshake_failure (RFC 8446, section 6)


class Hub(Protocol):
    """What holds the relays together: each reports to it, and asks it for what all share."""

    links: set[Relay]
    faults: list[Fault]
    latency: float
    disturbed: bool

    async def reach(self, factory: type[Upstream], link: Relay) -> asyncio.Transport:
        """Connect to the server."""

    def joined(self) -> ProtocolState:
        """Number a client that connected."""

    def started(self) -> None:
        """Note that a round trip began."""

    def rested(self) -> None:
        """Note that a connection came to rest."""

    def cancelled(self, key: bytes) -> None:
        """Note a cancel request."""

    def asked_for_tls(self) -> None:
        """Note a client that wanted TLS or nothing."""

    def left(self, link: Relay) -> None:
        """Note that a client is gone."""


class Relay(asyncio.Protocol):
    """The client's side of a connection, and what both sides share."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.state: ProtocolState | None = None
        self.client: asyncio.Transport | None = None
        self.server: asyncio.Transport | None = None
        self._start = bytearray()  # the untyped packets that begin a connection, and all until the server is there
        self._reaching: asyncio.Task[None] | None = None
        self._asked_tls = False
        self._from_client = messages.Splitter(b"d")
        self._from_server = messages.Splitter(b"Dd")
        self._delayed: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._losing = False  # the answers of this connection are withheld
        self.stalled: list[bytes] | None = None  # what waits for a stall to end

    def __str__(self) -> str:
        """Name, for an error message, what the connection waits for."""
        return str(self.state or "a client that has not said who it is")

    @property
    def at_rest(self) -> bool:
        """Whether nothing is under way: no start-up, no answer that is owed, no transaction."""
        return self.state is not None and (self.state.streaming or not self.state.busy)

    # from the client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        assert isinstance(transport, asyncio.Transport)
        self.client = transport
        self._hub.links.add(self)

    def data_received(self, data: bytes) -> None:
        """The client sent bytes."""
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
                fault = next((item for item in self._hub.faults if item.strikes(statement.text)), None)
        if began_idle and self.state.trip is not None:
            self._hub.started()
        if fault is not None:
            self._harm(fault.harm, data)
        else:
            self._forward(data)

    def _begin(self) -> None:
        if self._start[:1] == b"\x16":  # a TLS handshake without asking first (sslnegotiation=direct)
            self._asked_tls = True
            self._answer_and_close(_NO_TLS_ALERT)
            return
        if len(self._start) < 8:
            return
        length, code = struct.unpack_from("!II", self._start)
        if length < 8 or length > messages.LONGEST_STARTUP:
            word = f"the first packet claims {length} bytes, which no start-up of the Postgres protocol has"
            self._answer_and_close(messages.error("08P01", word, "look at which program connects to this port"))
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
            self._answer_and_close(messages.error("08006", word, "start the server, or give the observer its address"))
            return
        if self.client is None or self.client.is_closing():
            self.server.abort()
            return
        first, rest = bytes(self._start[:length]), bytes(self._start[length:])
        self._start.clear()
        self._forward(first)
        if rest:
            self.data_received(rest)

    def _harm(self, harm: FaultKind, data: bytes) -> None:
        """Do what a fault says to the bytes that hold its statement."""
        if harm == "stall":
            self.stalled = [data]
        elif harm == "lose answer":
            self._losing = True
            self._forward(data)
        else:
            if harm == "reset":
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
        """What has waited long enough reaches the server."""
        self._timer = None
        loop = asyncio.get_running_loop()
        while self._delayed and self._delayed[0][0] <= loop.time() + 0.0005:
            data = self._delayed.popleft()[1]
            if self.server is not None:
                self.server.write(data)
        if self._delayed:
            self._timer = loop.call_at(self._delayed[0][0], self._arrive)
        if self.client is not None and not self.client.is_closing():
            self.client.resume_reading()

    def _flush(self) -> None:
        """What is under way reaches the server now."""
        while self._delayed:
            data = self._delayed.popleft()[1]
            if self.server is not None:
                self.server.write(data)

    def release(self) -> None:
        """End a stall: what waited moves on."""
        waiting, self.stalled = self.stalled or [], None
        for data in waiting:
            self._forward(data)

    # from the server

    def server_sent(self, data: bytes) -> None:
        """The server sent bytes."""
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
        """The server closed its side: the client sees the same, after all that was sent."""
        self.server = None
        if self.client is not None:
            if self.state is not None and not self.state.parting:
                self._hub.disturbed = True
            self.client.close()

    # either side slower than the other

    def pause_writing(self) -> None:
        """The client reads slowly: the server waits."""
        if self.server is not None:
            self.server.pause_reading()

    def resume_writing(self) -> None:
        """The client caught up."""
        if self.server is not None:
            self.server.resume_reading()

    # the end

    def connection_lost(self, _: Exception | None) -> None:
        """The client is gone: the server gets what was still under way, then the same."""
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
        """Reset the connection: the client reads an error, never an end; the server finds its client gone."""
        self._delayed.clear()
        self.stalled = None
        if self.client is not None:
            sock = self.client.get_extra_info("socket")
            if sock is not None and sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.client.abort()
        if self.server is not None:
            self.server.close()

    def _answer(self, data: bytes) -> None:
        if self.client is not None:
            self.client.write(data)

    def _answer_and_close(self, data: bytes) -> None:
        self._answer(data)
        if self.client is not None:
            self.client.close()


class Upstream(asyncio.Protocol):
    """The server's side of a link."""

    def __init__(self, link: Relay) -> None:
        self._link = link
        self.data_received = link.server_sent  # type: ignore[method-assign]  # one call less for every chunk

    def connection_lost(self, _: Exception | None) -> None:
        """The server is gone."""
        self._link.server_left()

    def pause_writing(self) -> None:
        """The server reads slowly: the client waits."""
        if self._link.client is not None:
            self._link.client.pause_reading()

    def resume_writing(self) -> None:
        """The server caught up."""
        if self._link.client is not None:
            self._link.client.resume_reading()
