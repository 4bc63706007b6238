"""An address that stays the same for a run, for apps that read it when their modules are imported."""

from __future__ import annotations

import socket
from dataclasses import dataclass


class FixedAddress:
    """A loopback port on which an observer listens besides its own: each test has another observer and database.

    The port stays taken in between, when a connection is refused.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # so that observers can listen
        self._socket.bind(("127.0.0.1", 0))

    @property
    def port(self) -> int:
        """The port."""
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def dsn(self) -> str:
        """A URI of it. An observer replaces the user and the database."""
        return f"postgresql://app@127.0.0.1:{self.port}/app"

    def close(self) -> None:
        """Free the port."""
        self._socket.close()


@dataclass(frozen=True, slots=True)
class FixedLogin:
    """Where a connection to a fixed port leads: to this database, as this user."""

    port: int
    user: str
    database: str
