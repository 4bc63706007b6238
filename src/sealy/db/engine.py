"""The process's one pool of connections."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from pydantic_core import from_json
from sqlalchemy import Engine, ExceptionContext, create_engine, event, text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from sealy.db.head import HEAD
from sealy.runtime.observe import CountingCursor, TaggingCursor
from sealy.settings import Settings

REVISION = text("SELECT version_num FROM alembic_version")

LONGEST_WAIT = 8.0
"""Seconds for one answer of the server, which itself ends a statement after 5 (deploy/db/roles.sql)."""


class _Connection(psycopg.Connection[Any]):
    """One that is lost when nothing comes back: the server's own limits are no help while the network loses them."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = LONGEST_WAIT) -> Any:
        try:
            return super().wait(gen, interval, timeout)
        except psycopg.OperationalError:
            if self.info.transaction_status == TransactionStatus.ACTIVE:  # its answer may still come
                self.close()
            raise


def _connect(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> _Connection:
    return _Connection.connect(**parameters)


class Database:
    """The pool, seen twice: `reads` sends each statement by itself (AUTOCOMMIT), `writes` opens transactions.

    Making it connects to nothing. There is no ping before use: when a connection turns out to be dead, the pool drops
    all of them and opens new ones as they are needed.
    """

    def __init__(self, settings: Settings) -> None:
        self.reads = create_engine(
            "postgresql+psycopg://",
            connect_args={
                **settings.connection_parameters,
                "prepare_threshold": 5 if settings.prepare else None,
                "cursor_factory": TaggingCursor if settings.tag_statements else CountingCursor,
            },
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=settings.pool_timeout,
            pool_pre_ping=False,
            use_native_hstore=False,
            hide_parameters=True,
            json_deserializer=from_json,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
        )
        self.writes: Engine = self.reads.execution_options(isolation_level="READ COMMITTED")
        self._size = settings.pool_size
        self._warm = False
        event.listen(self.reads, "do_connect", _connect)
        event.listen(self.reads, "handle_error", self._note_lost_connections)

    def why_not_ready(self) -> str | None:
        """None when the pool is open and the database is at this code's revision or a later one, else the reason.

        A later one is the next release's: this code serves until that has taken over, and again after a rollback.
        """
        try:
            self._open_all()
            with self.reads.connect() as connection:
                revisions = connection.scalars(REVISION).all()
        except ProgrammingError:
            return f"the database shows no revision to this role, this code needs {HEAD} or later"
        except SQLAlchemyError as error:
            return f"the database does not answer ({type(error).__name__})"
        if revisions and min(revisions) >= HEAD:  # they are numbers of four digits (migrations/env.py)
            return None
        return f"the database is at revision {', '.join(revisions) or 'none'}, this code needs {HEAD} or later"

    def close(self) -> None:
        """Close the pool's connections."""
        self.writes.dispose()

    def _open_all(self) -> None:
        """Open the whole pool, so that no request pays for a connection; requests hold open ones already."""
        if self._warm:
            return
        with ExitStack() as held:
            while self.writes.pool.checkedout() < self._size:  # type: ignore[attr-defined]  # a QueuePool has it
                held.enter_context(self.reads.connect())
            self._warm = True

    def _note_lost_connections(self, context: ExceptionContext) -> None:
        """After a failover the former primary is read-only: its connections are as good as lost."""
        if getattr(context.original_exception, "sqlstate", None) == "25006":
            context.is_disconnect = True
        if context.is_disconnect:
            self._warm = False
