"""Rows that may break a revision: duplicates, NULLs and extremes, wherever the constraints allow them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import psycopg
from psycopg import sql

from harness.catalog import Table
from harness.seed.constraints.conditions import unique_sets
from harness.seed.plan import Plan
from harness.seed.values.column_types import ColumnTypes
from harness.seed.values.extremes import extremes_of
from harness.seed.values.sources import Row, ValueSource

MOST = 40
"""The number of rows that are changed; a table may hold many more."""

Values = Mapping[tuple[int, ...], Row]
"""Texts to set, by the columns that are set together."""


def make_adversarial(connection: psycopg.Connection[Any], plan: Plan, kinds: ColumnTypes) -> None:
    """Change rows of the plan, which the table holds, to odd ones; the server may refuse a change.

    The first row keeps its values, and others repeat it. A value that must be unique is used once.
    """
    table = _Table(connection, plan.table)
    places = table.places()
    if len(places) < 2:
        return
    options = {source.columns: _accepted(table, places[1], plan, source, kinds) for source in plan.parts[0]}
    options = {columns: rows for columns, rows in options.items() if rows}
    unique = frozenset(number for key in unique_sets(plan.table) for number in key)
    for number, place in enumerate(places[1:]):
        values = {
            columns: rows[(number if number < len(rows) else number + offset) % len(rows)]
            for offset, (columns, rows) in enumerate(options.items())
            if number < len(rows) or not unique & set(columns)
        }
        if not table.update(place, values):
            here = place
            for columns, row in values.items():  # each by itself, unless the server refuses it
                here = table.update(here, {columns: row}) or here


def _accepted(table: _Table, place: Row, plan: Plan, source: ValueSource, kinds: ColumnTypes) -> list[Row]:
    """Return the odd rows of a source that the server accepts: those of the first row, NULL, extremes."""
    columns = [plan.table.by_number[number] for number in source.columns]
    candidates = [plan.values(0, source.columns)]
    if not any(column.not_null for column in columns):
        candidates.append((None,) * len(columns))
    if len(columns) == 1:
        candidates += [(text,) for text in extremes_of(kinds.of(columns[0].type))]
    return [row for row in dict.fromkeys(candidates) if table.update(place, {source.columns: row}, keep=False)]


class _Table:
    """Single rows of a table, found by their place (ctid)."""

    def __init__(self, connection: psycopg.Connection[Any], table: Table) -> None:
        self.connection = connection
        self.table = table
        self.name = sql.Identifier(table.schema, table.name)

    def places(self) -> list[Row]:
        """Return the places of the rows, in the order of writing."""
        query = sql.SQL("SELECT tableoid::text, ctid::text FROM {} ORDER BY ctid, tableoid LIMIT {}").format(
            self.name, MOST
        )
        return self.connection.execute(query).fetchall()

    def update(self, place: Row, values: Values, *, keep: bool = True) -> Row | None:
        """Set columns of one row and return its new place, or None if the server refuses; undo it without `keep`."""
        found: Row | None = None
        try:
            with self.connection.transaction(force_rollback=not keep):
                found = self.connection.execute(self._statement(values), [*chain(*values.values()), *place]).fetchone()
        except psycopg.Error:
            if self.connection.broken:
                raise
            return None
        return found

    def _statement(self, values: Values) -> sql.Composed:
        columns = [self.table.by_number[number] for numbers in values for number in numbers]
        return sql.SQL(
            "UPDATE {} SET {} WHERE tableoid = %s::oid AND ctid = %s::tid RETURNING tableoid::text, ctid::text"
        ).format(
            self.name,
            sql.SQL(", ").join(
                sql.SQL("{} = %s::text::{}").format(sql.Identifier(column.name), sql.SQL(column.type))
                for column in columns
            ),
        )
