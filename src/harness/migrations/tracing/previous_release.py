"""The previous release: its prepared SELECTs and its INSERTs, run before the revision and again after it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from harness.catalog import Column, Snapshot, Table
from harness.migrations.tracing.observations import BrokenStatement

TIMES = 6
"""psycopg prepares what runs more than five times, and Postgres then uses a generic plan."""


@dataclass(frozen=True, slots=True)
class Call:
    """One statement of the previous release."""

    table: Table
    command: str
    query: bytes


@dataclass
class PreviousRelease:
    """Two sessions of the previous release on one database: psycopg forgets prepared statements after a ROLLBACK.

    In the writing session foreign keys and triggers are off, so that a row can be deleted and inserted again.
    """

    reading: psycopg.Connection[Any]
    writing: psycopg.Connection[Any]
    calls: list[Call] = field(default_factory=list)

    def prepare(self, snapshot: Snapshot) -> None:
        """Prepare and run what an application would send to each table and view, and drop what already fails."""
        self.writing.execute("SET session_replication_role = replica")
        for table in snapshot.relations:
            if not table.partition and table.columns:
                for call in self._calls(table):
                    with contextlib.suppress(psycopg.Error):
                        self._run(call, TIMES if call.command == "SELECT" else 1)
                        self.calls.append(call)

    def again(self) -> list[BrokenStatement]:
        """Run all again, in the same sessions, and return what fails now."""
        broken_statements: list[BrokenStatement] = []
        for call in self.calls:
            try:
                self._run(call, 1)
            except psycopg.Error as error:
                name = error.diag.column_name or error.diag.constraint_name or ""
                message = (error.diag.message_primary or str(error)).strip()
                broken_statements.append(
                    BrokenStatement(call.table.qualified, call.command, error.sqlstate or "", message, name)
                )
        return broken_statements

    def _calls(self, table: Table) -> list[Call]:
        name = sql.Identifier(table.schema, table.name)
        every = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
        select = sql.SQL("SELECT {} FROM {} LIMIT 1").format(every, name)
        calls = [Call(table, "SELECT", select.as_bytes(self.reading))]
        if table.kind in "rp":
            written = [column for column in table.columns if _is_written(column)]
            required = [column for column in written if column.not_null]
            calls += [self._insert(table, columns) for columns in (written, required)[: 1 + (required != written)]]
        return calls

    def _insert(self, table: Table, columns: Sequence[Column]) -> Call:
        """Return an INSERT of these columns with the values of some row, rolled back in the same round trip."""
        name = sql.Identifier(table.schema, table.name)
        comma = sql.SQL(", ")
        names = [sql.Identifier(column.name) for column in columns]
        insert = sql.SQL("INSERT INTO {} DEFAULT VALUES").format(name)
        if columns:
            texts = comma.join(sql.SQL("{}::text").format(each) for each in names)
            values = self.reading.execute(sql.SQL("SELECT {} FROM {} LIMIT 1").format(texts, name)).fetchone()
            literals = comma.join(map(sql.Literal, values or [None] * len(columns)))
            insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(name, comma.join(names), literals)
        # frees its unique values
        query = sql.SQL("BEGIN; DELETE FROM {}; {}; ROLLBACK").format(name, insert)
        return Call(table, "INSERT", query.as_bytes(self.writing))

    def _run(self, call: Call, times: int) -> None:
        if call.command == "SELECT":
            with self.reading.pipeline():
                for _ in range(times):
                    self.reading.execute(call.query, prepare=True)
            return
        try:
            self.writing.execute(call.query)
        except psycopg.Error:
            self.writing.rollback()
            raise


def _is_written(column: Column) -> bool:
    """Return whether an application, not the database, gives the column a value."""
    return not column.generated and not column.identity and column.default is None
