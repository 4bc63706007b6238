"""A connection of the project's, as the recorder follows it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from harness.migrations.tracing.evidence import CatalogPart
from harness.migrations.tracing.session_state import SessionState

IN_TRANSACTION = (TransactionStatus.INTRANS, TransactionStatus.INERROR)


@dataclass
class RecordedSession:
    """One connection: `dbapi` as SQLAlchemy uses it, `info` of psycopg's own, its last pulse, what was said since."""

    dbapi: Any
    info: psycopg.ConnectionInfo
    pulse: SessionState | None = None
    parts: frozenset[CatalogPart] | None = None
    said: list[tuple[str, str]] = field(default_factory=list)
    held: frozenset[tuple[int, str]] = frozenset()
    number: int | None = None
    """The number of the open transaction."""
    alone: bool = False
    """Whether that transaction is one string of several statements."""
    several: list[str] = field(default_factory=list)
    """The statements of the string that is being run, where it holds more than one."""
    numbers: tuple[tuple[str, int], ...] = ()
    """The whole numbers that were sent beside the string."""
    refused: BaseException | None = None
    """The error of one of them."""
    started: float = 0.0
    stall: contextlib.ExitStack | None = None
    stalled: set[tuple[int, str]] = field(default_factory=set)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open on the server."""
        return self.info.transaction_status in IN_TRANSACTION
