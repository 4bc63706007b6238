"""One run over a database: the tables in their order, and what happens when the server refuses a plan."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from harness.catalog import Snapshot, Table
from harness.errors import HarnessError
from harness.seed.adversary import make_adversarial
from harness.seed.constraints.solver import UnsatisfiableError
from harness.seed.errors import refused, swallowed, unsatisfiable
from harness.seed.given_rows import Given, insert_given
from harness.seed.planner import Planner
from harness.seed.references.cycles import defer, restore, set_waiting
from harness.seed.references.partitions import has_partitions
from harness.seed.references.table_order import TableOrder, arrange, can_be_null
from harness.seed.write import advance_sequences, copy_rows, squeeze_rows

SETTINGS = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lc_monetary": "C",
}
"""Settings of the transaction: a million rows exceed a request's timeout, and texts must read back the same."""


@dataclass
class Filler:
    """The state of one run."""

    connection: psycopg.Connection[Any]
    rows: int
    given: Given
    progress: Callable[[str, int, int], None]
    adversarial: bool
    written: dict[str, int] = field(default_factory=dict)

    def run(self, snapshot: Snapshot, names: Collection[str] | None) -> dict[str, int]:
        """Fill the tables named, or all."""
        if self.rows < 0:
            raise HarnessError(f"{self.rows} rows cannot be written", remedy="ask for 0 or more")
        wanted = _wanted(snapshot, names, self.given)
        with self.connection.transaction():
            for name, value in SETTINGS.items():
                self.connection.execute("SELECT set_config(%s, %s, true)", [name, value])
            self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            order = arrange(self._empty(wanted))
            if self.rows:
                self._fill(snapshot, order)
        return self.written

    def _empty(self, tables: list[Table]) -> list[Table]:
        """Return the tables that hold no row."""
        if not tables:
            return []
        looks = [
            sql.SQL("NOT EXISTS (SELECT FROM {})").format(sql.Identifier(each.schema, each.name)) for each in tables
        ]
        row = self.connection.execute(sql.SQL("SELECT ARRAY[{}]").format(sql.SQL(", ").join(looks))).fetchone()
        assert row
        return [table for table, empty in zip(tables, row[0], strict=True) if empty]

    def _fill(self, snapshot: Snapshot, order: TableOrder) -> None:
        planner = Planner(self.connection, snapshot, self.rows, order.waiting)
        waiting = [(table, key) for table in order.tables for key in table.foreign_keys if key.oid in order.waiting]
        strict = [(table, key) for table, key in waiting if not can_be_null(table, key)]
        for table, key in strict:
            defer(self.connection, table, key)
        for table in order.tables:
            self.written[table.qualified] = self._table(planner, table)
            advance_sequences(self.connection, snapshot, table)
        for table, key in waiting:
            if table.qualified not in self.given:
                set_waiting(self.connection, table, key, snapshot.by_oid[key.target])
        self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, key in strict:
            restore(self.connection, table, key)

    def _table(self, planner: Planner, table: Table) -> int:
        """Fill one table and return its number of rows, 0 for a partitioned table without partitions."""
        if table.kind == "p" and not has_partitions(planner.snapshot, table):
            return 0
        if table.qualified in self.given:
            return insert_given(self.connection, table, self.given[table.qualified])
        try:
            try:
                kept = self._copied(planner, table, exact=False)
            except psycopg.errors.CheckViolation:
                kept = self._copied(planner, table, exact=True)
        except UnsatisfiableError as error:
            raise unsatisfiable(table, error) from error
        except psycopg.Error as error:
            if self.connection.broken:
                raise
            raise refused(table, error) from error
        if not kept:
            raise swallowed(table, self.rows)
        return kept

    def _copied(self, planner: Planner, table: Table, *, exact: bool) -> int:
        plan = planner.plan(table, exact=exact)

        def report(done: int) -> None:
            self.progress(table.qualified, done, plan.limit)

        try:
            with self.connection.transaction():
                kept = copy_rows(self.connection, plan, plan.limit, report)
        except (psycopg.errors.UniqueViolation, psycopg.errors.ExclusionViolation):
            with self.connection.transaction():
                kept = squeeze_rows(self.connection, plan, planner.kinds, self.rows, report)
        if self.adversarial:
            make_adversarial(self.connection, plan, planner.kinds)
        return kept


def _wanted(snapshot: Snapshot, names: Collection[str] | None, given: Given) -> list[Table]:
    """Return the tables to fill.

    Raises:
        HarnessError: for a name that is not a table, or is a partition.
    """
    roots = {table.qualified: table for table in snapshot.roots}
    for name in [*(names or ()), *given]:
        if name not in roots:
            raise HarnessError(
                f"{name} cannot be seeded: there is no such table, or it is a partition of another",
                looked_at=f"the tables: {', '.join(roots) or 'none'}",
                remedy="write it as schema.table",
            )
    return [table for name, table in roots.items() if names is None or name in names]
