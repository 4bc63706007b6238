"""Second runs of a revision: after a run was killed, and with an INVALID index in place."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from alembic.script import Script
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from harness.catalog import Snapshot, difference, read_snapshot
from harness.migrations.history import History
from harness.migrations.tracing.evidence import CONCURRENTLY, Trace
from harness.migrations.tracing.observations import Rerun, SkippedInvalidIndex
from harness.migrations.tracing.scratch_databases import ScratchDatabases
from harness.migrations.tracing.trace import said, sqlstate

MOST = 20
"""The largest number of places at which a revision is killed: of more, the first and the last ones."""

INVALIDATE = """
UPDATE pg_index SET indisvalid = false FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = indexrelid AND n.nspname = %s AND c.relname = %s
"""


@dataclass(frozen=True)
class Reruns:
    """Second runs of one revision; `filled` is a database at the revision before, with rows and without sessions."""

    history: History
    scratch: ScratchDatabases
    script: Script
    filled: str

    def killed(self, trace: Trace, after: Snapshot) -> Iterator[Rerun]:
        """Kill a run after each statement whose effect stays, and run it again; it should end like the first run."""
        stops = trace.stops
        for statement in stops if len(stops) <= MOST else (*stops[: MOST // 2], *stops[-MOST // 2 :]):
            with self._copy() as database:
                with contextlib.suppress(Exception):
                    self._step("upgrade", database, _Kill(self.scratch, database, statement.sent).around)
                error = self._attempt(database)
                if error is not None:
                    text = (said(error) or "").splitlines()[0]
                    yield Rerun(statement.number, statement.sql, text, sqlstate(error) or "")
                    continue
                with self.scratch.connect(database) as session:
                    changes = difference(after, read_snapshot(session))
                yield Rerun(statement.number, statement.sql, differs=tuple(map(str, changes)))

    def skipped_indexes(self, trace: Trace, after: Snapshot) -> Iterator[SkippedInvalidIndex]:
        """Leave each index that the revision builds CONCURRENTLY as INVALID, and run the revision again."""
        made = {
            part.name: (statement.sql, part.table)
            for statement in trace.statements
            if CONCURRENTLY.search(statement.sql) and not statement.error
            for part in statement.made
            if part.kind == "index"
        }
        names = {
            (table.schema, table.qualified, index.name)
            for table in after.tables
            for index in table.indexes
            if index.name in made
        }
        if not names:
            return
        with self._copy() as database:
            self._step("upgrade", database)
            with self.scratch.connect(database) as session:
                for schema, _, index in names:
                    session.execute(INVALIDATE, [schema, index])
            self._step("forget", database)
            if self._attempt(database) is not None:
                return
            with self.scratch.connect(database) as session:
                left = read_snapshot(session)
            for _, table, name in sorted(names):
                found = left.by_name.get(table)
                if found and any(index.name == name and not index.valid for index in found.indexes):
                    yield SkippedInvalidIndex(f"{table}.{name}", made[name][0])

    def _attempt(self, database: str) -> Exception | None:
        try:
            self._step("upgrade", database)
        except Exception as error:
            return error
        return None

    def _step(self, direction: Any, database: str, around: Callable[..., None] | None = None) -> None:
        self.scratch.step(self.history, self.script, direction, database, around)

    @contextlib.contextmanager
    def _copy(self) -> Iterator[str]:
        database = self.scratch.clone(self.filled)
        try:
            yield database
        finally:
            self.scratch.drop(database)


@dataclass
class _Kill:
    """Ends the revision's session after string `number`, as the trace counts them (`TracedStatement.sent`)."""

    scratch: ScratchDatabases
    database: str
    number: int
    count: int = 0

    def around(self, function: Callable[..., Any]) -> None:
        """Run the revision's function, and kill its session at that string."""
        event.listen(Engine, "after_cursor_execute", self._after)
        event.listen(Engine, "handle_error", self._failed)
        try:
            function()
        finally:
            event.remove(Engine, "after_cursor_execute", self._after)
            event.remove(Engine, "handle_error", self._failed)

    def _failed(self, context: ExceptionContext) -> None:
        """Count a statement whose error the revision catches."""
        if context.statement and context.engine and context.engine.url.database == self.database:
            self.count += 1

    def _after(self, connection: Connection, *_: Any) -> None:
        if connection.engine.url.database != self.database:
            return
        self.count += 1
        if self.count == self.number:
            driver: Any = connection.connection.driver_connection
            self.scratch.end(self.database, driver.info.backend_pid)
