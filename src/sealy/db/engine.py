"""The process's pool of connections."""

from contextlib import ExitStack
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, ExceptionContext, create_engine, event, text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from sealy.db.cursors import ObservedCursor
from sealy.db.head import REVISIONS
from sealy.settings import Settings

LONGEST_WAIT = 8.0  # seconds for the server's next answer; it ends a statement itself after 5 (deploy/db/roles.sql)


class _Connection(psycopg.Connection[Any]):
    """A connection that is closed when the network loses an answer: the server's own limits do not help then."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = LONGEST_WAIT) -> Any:
        try:
            return super().wait(gen, interval, timeout)
        except psycopg.OperationalError:
            if self.info.transaction_status == TransactionStatus.ACTIVE:  # the answer may still come
                self.close()
            raise


class Database:
    """The pool, as two engines: `reads` sends each statement by itself (AUTOCOMMIT), `writes` opens transactions.

    Connections are not pinged before use: when one turns out to be dead, the pool drops all and opens them as needed.
    """

    def __init__(self, settings: Settings) -> None:
        parameters = settings.connection_parameters | {"prepare_threshold": 5 if settings.prepare else None}
        self.reads = create_engine(
            "postgresql+psycopg://",
            creator=lambda: _Connection.connect(**parameters, cursor_factory=ObservedCursor),
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=settings.pool_timeout,
            use_native_hstore=False,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
        )
        self.writes: Engine = self.reads.execution_options(isolation_level="READ COMMITTED")
        self.pool_size, self.prepare, self.warm = settings.pool_size, settings.prepare, False
        event.listen(self.reads, "handle_error", self._note_lost_connections)

    def why_not_ready(self) -> str | None:
        """Return None if the pool is open and the database has this release's revision or a later one, else the reason.

        An unlisted revision is the next release's: this one serves until that takes over, and again after a rollback.
        """
        try:
            if self.prepare and not self.warm:
                self._prepare()
            with ExitStack() as held:  # the whole pool, so that no request waits for a connection to open
                while not self.warm and self.reads.pool.checkedout() < self.pool_size:  # type: ignore[attr-defined]
                    held.enter_context(self.reads.connect())
                self.warm = True
            with self.reads.connect() as connection:
                found = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", "") in {"26000", "42P05"}:  # it is missing, or another client's is there
                return "a pooler in front of the database loses prepared statements: set APP_PREPARE=false"
            return f"cannot read alembic_version; this release needs revision {REVISIONS[-1]} or later"
        except SQLAlchemyError as error:
            return f"the database does not answer ({type(error).__name__})"
        if found and not {*found} & {*REVISIONS[:-1]}:
            return None
        return f"the database is at revision {', '.join(found) or 'none'}; this release needs {REVISIONS[-1]} or later"

    def _prepare(self) -> None:
        """Fail where a pooler loses prepared statements, which are named alike in each of its clients' sessions."""
        for _ in range(5):
            with self.reads.connect() as connection:
                for _ in range(8):  # psycopg prepares what runs for the sixth time
                    session: Any = connection.connection.driver_connection
                    if connection.scalar(text("SELECT pg_backend_pid()")) == session.info.backend_pid:
                        return  # the server has announced this process id itself: no pooler is between
                connection.invalidate()

    def _note_lost_connections(self, context: ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlstate", None) == "25006":  # a failover: it has become a standby
            context.is_disconnect = True
        self.warm = self.warm and not context.is_disconnect
