"""The observer: a proxy between an app and its Postgres, which records what passes and does not change it."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

from harness.errors import HarnessError
from harness.postgres.address import Address
from harness.wire.contention import waited
from harness.wire.faults import Fault, FaultKind
from harness.wire.fixed_address import FixedLogin
from harness.wire.messages import startup_as
from harness.wire.protocol import ProtocolState
from harness.wire.recording import Recording, RoundTrip
from harness.wire.relay import Relay, Upstream

T = TypeVar("T")

ENCRYPTION = {"sslmode": "PGSSLMODE", "gssencmode": "PGGSSENCMODE"}
"""The parameters that ask libpq to encrypt, and the environment variables that do (manual, 32.15)."""


SAMPLE = 0.1
"""Seconds between two looks at how long this process waits for a processor."""


class Observer:
    """Listens on a loopback port, or on a socket in `directory`, and relays every connection to `server`.

    Connections to the port of `fixed` lead to its database, whichever they ask for.

    A context manager; its event loop runs in a thread of this process. `latency` (seconds) delays what a client sends,
    as a network does: what is sent together arrives together. `disturbed` becomes True with the first fault, and when
    the server ends a connection by itself: from then on the app may have to open connections again.
    """

    def __init__(self, server: Address, *, directory: Path | None = None, fixed: FixedLogin | None = None) -> None:
        self.server = server
        self.latency = 0.0
        self.faults: list[Fault] = []
        self.disturbed = False
        host, port = (str(directory), 5432) if directory else ("127.0.0.1", 0)
        self.address = replace(server, host=host, port=port)
        """Where clients connect."""
        self.relays: set[Relay] = set()
        self._recordings: list[Recording] = []
        self._number = 0
        self._at_rest: list[asyncio.Event] = []
        self._fixed = fixed
        self._listeners: list[asyncio.Server] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="observer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._await(self._listen())
        self._loop.call_soon_threadsafe(self._note_waits)
        return self

    def __exit__(self, *_: object) -> None:
        self._await(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def dsn(self, server_dsn: str) -> str:
        """Return `server_dsn` as a URI through the observer: same database, user and options, without encryption.

        Drivers that are not libpq's take the URI too, so it has options only where `server_dsn` or the environment has.
        """
        parts = {key: str(value) for key, value in conninfo_to_dict(server_dsn).items() if value is not None}
        user, password, name, *_ = (
            parts.pop(key, "") for key in ("user", "password", "dbname", "host", "hostaddr", "port")
        )
        uri = self.address.seen_by(user, password).dsn(name)
        asked = [key for key, variable in ENCRYPTION.items() if key in parts or variable in os.environ]
        options = urlencode(parts | dict.fromkeys(asked, "disable"), quote_via=quote)
        return f"{uri}{'&' if '?' in uri else '?'}{options}" if options else uri

    # for tests

    @property
    def connections(self) -> int:
        """The number of clients connected now."""
        return self._call(lambda: len(self._live()))

    @property
    def in_transaction(self) -> list[str]:
        """A description of each connection that is in a transaction now."""
        return self._call(lambda: [str(state) for state in self._live() if state.in_transaction])

    @contextmanager
    def recording(self) -> Iterator[Recording]:
        """Record all that begins on the wire inside the block."""
        recording = Recording()
        self._call(lambda: self._recordings.append(recording))
        try:
            yield recording
        finally:
            self._call(lambda: self._recordings.remove(recording))

    def settle(self, timeout: float = 5.0) -> None:
        """Wait until the server owes no client an answer and no connection is in a transaction.

        Raises:
            TimeoutError: after `timeout` seconds; names the connections that are not at rest.
        """
        self._await(self._rest(timeout))

    # faults

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Add `seconds` to each round trip inside the block."""
        before, self.latency = self.latency, seconds
        try:
            yield
        finally:
            self.latency = before

    @contextmanager
    def fault(self, pattern: str, kind: FaultKind, *, times: int = 1) -> Iterator[Fault]:
        """Do a fault to the first `times` statements in which the regular expression `pattern` is found."""
        fault = Fault(re.compile(pattern, re.IGNORECASE), kind, times)
        self.disturbed = True
        self._call(lambda: self.faults.append(fault))
        try:
            yield fault
        finally:
            self._call(lambda: self._lift(fault))

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse new connections inside the block; open ones stay."""
        self.disturbed = True
        self._await(self._deafen())
        try:
            yield
        finally:
            self._await(self._listen())

    def drop(self) -> int:
        """Reset every connection, as a failover does; return how many there were."""
        self.disturbed = True
        return self._call(self._drop)

    # for relays, in the loop's thread

    async def reach(self, factory: type[Upstream], relay: Relay) -> asyncio.Transport:
        """Connect to the server."""
        if path := _socket(self.server):
            transport, _ = await self._loop.create_unix_connection(lambda: factory(relay), path)
            return transport
        found, _ = await self._loop.create_connection(lambda: factory(relay), self.server.host, self.server.port)
        return found

    def joined(self) -> ProtocolState:
        """Number a client that connected."""
        self._number += 1
        for recording in self._recordings:
            recording.opened.append(self._number)
        return ProtocolState(self._number, self._finished)

    def started(self) -> None:
        """Count the busy connections when a round trip begins."""
        if self._recordings:
            busy = sum(state.busy for state in self._live())
            for recording in self._recordings:
                recording.most_busy = max(recording.most_busy, busy)

    def rested(self) -> None:
        """Wake those who wait for rest, if the connection that came to rest was the last one."""
        if self._at_rest and not self._unsettled():
            for event in self._at_rest:
                event.set()

    def cancelled(self, key: bytes) -> None:
        """Count a cancel request for one of these connections."""
        if any(relay.state is not None and relay.state.key == key for relay in self.relays):
            for recording in self._recordings:
                recording.cancels += 1

    def asked_for_tls(self) -> None:
        """Count a client that wanted TLS or nothing."""
        for recording in self._recordings:
            recording.tls += 1

    def left(self, relay: Relay) -> None:
        """Forget a client that has disconnected."""
        self.relays.discard(relay)
        self.rested()

    def _finished(self, trip: RoundTrip) -> None:
        for recording in self._recordings:
            recording.trips.append(trip)

    # inside

    def _note_waits(self) -> None:
        """Note for open recordings, again and again, how long this process has waited for a processor."""
        for recording in self._recordings:
            recording.waits.append((perf_counter(), waited()))
        self._loop.call_later(SAMPLE, self._note_waits)

    def _live(self) -> list[ProtocolState]:
        return [relay.state for relay in self.relays if relay.state is not None]

    def _unsettled(self) -> list[Relay]:
        return [relay for relay in self.relays if not relay.at_rest]

    async def _rest(self, timeout: float) -> None:
        event = asyncio.Event()
        self._at_rest.append(event)
        try:
            if self._unsettled():
                await asyncio.wait_for(event.wait(), timeout)
        except TimeoutError:
            restless = "; ".join(map(str, self._unsettled()))
            raise TimeoutError(f"after {timeout:g} s connections are not at rest: {restless}") from None
        finally:
            self._at_rest.remove(event)

    def _drop(self) -> int:
        relays = list(self.relays)
        for relay in relays:
            relay.break_off()
        return len(relays)

    def _lift(self, fault: Fault) -> None:
        self.faults.remove(fault)
        if fault.kind == "stall":
            for relay in list(self.relays):
                relay.release()

    async def _listen(self) -> None:
        if path := _socket(self.address):
            self._listeners = [await self._loop.create_unix_server(lambda: Relay(self), path, backlog=512)]
            return
        host, port = self.address.host, self.address.port
        own = await self._loop.create_server(lambda: Relay(self), host, port, backlog=512)
        self.address = replace(self.address, port=own.sockets[0].getsockname()[1])
        self._listeners = [own]
        if self._fixed:
            login = partial(startup_as, user=self._fixed.user, database=self._fixed.database)
            self._listeners.append(
                await self._loop.create_server(
                    lambda: Relay(self, login), host, self._fixed.port, backlog=512, reuse_port=True
                )
            )

    async def _deafen(self) -> None:
        for listener in self._listeners:
            listener.close()
        if path := _socket(self.address):
            Path(path).unlink(missing_ok=True)  # Python 3.13 removes it itself

    async def _close(self) -> None:
        await self._deafen()
        self._drop()
        for _ in range(3):  # transports report their end in the next iterations of the loop
            await asyncio.sleep(0)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _await(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine in the loop's thread, and wait for it."""
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _call(self, function: Callable[[], T]) -> T:
        """Run a function in the loop's thread, and return its result."""
        if not self._thread.is_alive():
            raise HarnessError("the observer is not running", remedy="use it inside its with block")

        async def run() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()


def _socket(address: Address) -> str | None:
    """Return the path of an address's socket (manual, `unix_socket_directories`); None for TCP."""
    return f"{address.host}/.s.PGSQL.{address.port}" if address.host.startswith("/") else None
