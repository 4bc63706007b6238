"""Records every statement that SQLAlchemy sends to one database, from any session of the project."""

from __future__ import annotations

import contextlib
import itertools
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from psycopg._connection_base import BaseConnection
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from harness.frames import running_line
from harness.migrations.tracing.event_triggers import parse_notices
from harness.migrations.tracing.evidence import Lock, Relation, TracedStatement
from harness.migrations.tracing.lock_probe import SHORTEST, LockProbe
from harness.migrations.tracing.recorded_session import RecordedSession, one_line, refused_object, whole_numbers
from harness.migrations.tracing.session_state import (
    SessionState,
    read_parts,
    read_session_state,
    rewrites,
    rows,
    written,
)

QUIET = re.compile(
    r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE|MERGE|SET|RESET|SHOW|VALUES|COPY|BEGIN|COMMIT|ROLLBACK)\b", re.IGNORECASE
)
"""Statements that do not block writers by themselves."""

SILENT = re.compile(
    r"\s*(VACUUM|CLUSTER|REINDEX|CREATE\s+(UNIQUE\s+)?INDEX\s+CONC|DROP\s+INDEX\s+CONC|DO|CALL)", re.IGNORECASE
)
"""Statements that may change the catalogue without an event trigger firing."""

PAST = "(sent past SQLAlchemy)"
"""The text for statements that SQLAlchemy did not send."""


@dataclass
class Recorder:
    """The record of a run on `database`.

    `relations` are those from before, by OID; `file` is the revision's, as Python loaded it; `active` is true only
    inside the revision's function.
    """

    database: str
    relations: dict[int, Relation]
    probe: LockProbe
    file: str = ""
    active: bool = False
    statements: list[TracedStatement] = field(default_factory=list)
    sent: int = 0
    """The number of strings that SQLAlchemy has sent; a string may hold several statements."""
    _sessions: dict[int, RecordedSession] = field(default_factory=dict)
    _transactions: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Listen to every engine of this process, for this database."""
        hooks = (
            ("before_cursor_execute", self._before),
            ("do_execute", self._execute),
            ("do_execute_no_params", self._execute_bare),
            ("after_cursor_execute", self._after),
            ("handle_error", self._failed),
        )
        for name, hook in hooks:
            event.listen(Engine, name, hook)
        try:
            yield
        finally:
            for name, hook in hooks:
                event.remove(Engine, name, hook)
            for session in self._sessions.values():
                if session.probe:
                    session.probe.close()

    @contextlib.contextmanager
    def revision(self, connection: Connection) -> Iterator[None]:
        """Record what is sent from here to the end of the block: the revision's own function.

        What it sends past SQLAlchemy, by a psycopg cursor, is recorded as one statement at the end, if it took locks.
        """
        self.active = True
        if session := self._session(connection):
            self._begin(session)
        try:
            yield
            if session and session.state and session.transaction is not None and session.in_transaction:
                session.notices.clear()
                session.line = None
                unseen = self._statement(session, session.state, PAST, 0.0)
                if unseen.locks:  # other changes may be another session's
                    self.statements.append(unseen)
        finally:
            self.active = False

    def _session(self, connection: Connection) -> RecordedSession | None:
        """Return the session of a connection; None for another database, or another driver than psycopg."""
        driver = connection.connection.driver_connection
        if connection.engine.url.database != self.database or not isinstance(driver, BaseConnection):
            return None
        if id(driver) not in self._sessions:
            session = RecordedSession(connection.connection.dbapi_connection, driver.info)
            driver.add_notice_handler(
                lambda said: session.notices.append((said.sqlstate or "", said.message_primary or ""))
            )
            self._sessions[id(driver)] = session
        return self._sessions[id(driver)]

    def _begin(self, session: RecordedSession) -> SessionState:
        """Read the state that the next statement is compared with."""
        session.state = read_session_state(session.dbapi)
        session.held = session.state.locks if session.in_transaction else frozenset()
        session.transaction = next(self._transactions) if session.in_transaction else None
        session.alone = False
        if session.parts is None:
            session.parts = read_parts(session.dbapi)
        return session.state

    def _before(self, connection: Connection, _cursor: Any, sql: str, values: Any, _context: Any, _many: bool) -> None:
        session = self._session(connection)
        if session is None or not self.active:
            return
        self.sent += 1
        session.numbers = whole_numbers(values)
        session.line = running_line(self.file)
        session.batch = [] if values else session.split(sql)
        if not session.batch:
            self._starts(session, sql)

    def _after(self, connection: Connection, _cursor: Any, sql: str, *_: Any) -> None:
        session = self._session(connection)
        if session and self.active and not session.batch:
            self._ends(session, sql)

    def _failed(self, context: ExceptionContext) -> None:
        if context.connection is None or context.statement is None or not self.active:
            return
        session = self._session(context.connection)
        if session and context.original_exception is not session.refused:
            self._fails(session, context.statement, context.original_exception)

    def _execute_bare(self, cursor: Any, sql: str, context: Any) -> bool:
        return self._execute(cursor, sql, None, context)

    def _execute(self, cursor: Any, _sql: str, values: Any, context: Any) -> bool:
        """Run each statement of a string by itself, in place of SQLAlchemy; return False for any other string."""
        session = self._session(context.root_connection)
        if session is None or not self.active or not session.batch:
            return False
        if not session.in_transaction:
            self._begin(session)  # opens the transaction that SQLAlchemy believes to be in, if any
        alone = session.transaction is None
        with session.one_transaction() if alone else contextlib.nullcontext():
            if alone:
                self._begin(session)
                session.alone = True
            for sql in session.batch:
                self._starts(session, sql)
                try:
                    cursor.execute(sql, values)
                except Exception as error:
                    self._fails(session, sql, error)
                    session.refused = error
                    raise
                self._ends(session, sql)
                cursor = session.dbapi.cursor()  # the first one stays at the first result
        return True

    def _starts(self, session: RecordedSession, sql: str) -> None:
        state = session.state if session.in_transaction and session.state else self._begin(session)
        session.notices.clear()
        session.probed = set()
        lock_timeout = state.lock_timeout
        if session.transaction is None and not QUIET.match(sql) and (lock_timeout == 0 or lock_timeout >= SHORTEST):
            session.probe = contextlib.ExitStack()
            session.probed = session.probe.enter_context(self.probe.around(session.info.backend_pid))
        session.started = time.perf_counter()

    def _ends(self, session: RecordedSession, sql: str) -> None:
        milliseconds = self._ended(session)
        if session.state:
            self.statements.append(self._statement(session, session.state, sql, milliseconds))

    def _fails(self, session: RecordedSession, sql: str, error: BaseException) -> None:
        milliseconds = self._ended(session)
        sqlstate = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
        state = session.state or SessionState()
        commands, dropped, notices, _ = parse_notices(session.notices)
        self.statements.append(
            TracedStatement(
                len(self.statements) + 1,
                one_line(sql),
                session.transaction,
                held=self._locks(session.held),
                milliseconds=milliseconds,
                lock_timeout=state.lock_timeout,
                statement_timeout=state.statement_timeout,
                sqlstate=sqlstate,
                error=str(error).strip(),
                refused=refused_object(error),
                notices=notices,
                commands=commands,
                dropped=dropped,
                locks=self._locks(session.probed),
                sent=self.sent,
                alone=session.alone,
                line=session.line,
            )
        )

    def _ended(self, session: RecordedSession) -> float:
        """Return milliseconds since the statement began, and end the probe."""
        milliseconds = (time.perf_counter() - session.started) * 1000
        if session.probe:
            session.probe.close()
            session.probe = None
        return round(milliseconds, 3)

    def _statement(
        self, session: RecordedSession, before: SessionState, sql: str, milliseconds: float
    ) -> TracedStatement:
        commands, dropped, notices, announced = parse_notices(session.notices)
        inside = session.transaction is not None
        ended = inside and not session.in_transaction
        after = read_session_state(session.dbapi)
        parts = session.parts or frozenset()
        if commands or dropped or announced or SILENT.match(sql) or sql == PAST:
            session.parts = read_parts(session.dbapi)
        now = session.parts or frozenset()
        if before.transaction != after.transaction:
            session.held = frozenset()
        fresh = (after.locks - session.held) if inside and not ended else frozenset()
        statement = TracedStatement(
            len(self.statements) + 1,
            one_line(sql),
            session.transaction,
            locks=self._locks((fresh | announced | session.probed) - session.held),
            held=self._locks(session.held),
            rewrites=tuple(rewrites(session.dbapi, self.relations, before, after)),
            rows=tuple(rows(self.relations, before, after)),
            milliseconds=milliseconds,
            lock_timeout=before.lock_timeout,
            statement_timeout=before.statement_timeout,
            notices=notices,
            commands=commands,
            dropped=dropped,
            made=tuple(sorted(now - parts, key=repr)),
            gone=tuple(sorted(parts - now, key=repr)),
            ended_transaction=ended,
            sent=self.sent,
            alone=session.alone,
            numbers=session.numbers,
            line=session.line,
            changed=bool(commands or dropped or now != parts or before.files != after.files or written(before, after)),
        )
        session.state = after if inside and not ended else None
        session.held = after.locks if inside and not ended else frozenset()
        if ended:
            session.transaction = None
        return statement

    def _locks(self, locks: frozenset[tuple[int, str]] | set[tuple[int, str]]) -> tuple[Lock, ...]:
        known = ((self.relations.get(oid), mode) for oid, mode in locks)
        return tuple(sorted({Lock(item.name, mode) for item, mode in known if item}, key=repr))
