"""Candidate rows, evaluated by the server: conditions are never parsed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from harness.catalog import Table
from harness.seed.constraints.conditions import Condition, given_columns
from harness.seed.values.column_types import ColumnTypes
from harness.seed.values.sources import Row
from harness.sql.quoting import identifier


class ServerEvaluator:
    """Evaluates conditions of one table on rows that are not in it."""

    def __init__(self, connection: psycopg.Connection[Any], table: Table, kinds: ColumnTypes) -> None:
        self.connection = connection
        self.table = table
        self.kinds = kinds

    def verdicts(self, columns: Sequence[int], rows: Sequence[Row], conditions: Sequence[Condition]) -> list[bool]:
        """Return for each row, texts of `columns`, whether no condition is false; a row that raises an error fails."""
        if not conditions or not rows:
            return [True] * len(rows)
        try:
            with self.connection.transaction():
                return self._evaluate(columns, rows, conditions)
        except psycopg.Error as error:
            if self.connection.broken:
                raise
            return self._apart(columns, rows, conditions, error)

    def _apart(
        self, columns: Sequence[int], rows: Sequence[Row], conditions: Sequence[Condition], error: psycopg.Error
    ) -> list[bool]:
        """Return the verdicts, evaluated in halves, so that one row's error fails that row only."""
        if len(rows) == 1 or isinstance(error, psycopg.errors.SyntaxErrorOrAccessRuleViolation):
            return [False] * len(rows)
        ends = [self.verdicts(columns, [row], conditions)[0] for row in (rows[0], rows[-1])]
        if not any(ends):
            return [False] * len(rows)
        half = len(rows) // 2
        return self.verdicts(columns, rows[:half], conditions) + self.verdicts(columns, rows[half:], conditions)

    def _evaluate(self, columns: Sequence[int], rows: Sequence[Row], conditions: Sequence[Condition]) -> list[bool]:
        checks = _doubled(" AND ".join(f"({condition.expression}) IS NOT FALSE" for condition in conditions))
        query = f'SELECT {checks} FROM ({self._relation(columns)}) r ORDER BY "?n"'  # noqa: S608 - names are quoted, expressions are the schema's own
        texts = [list(column) for column in zip(*rows, strict=True)]
        found = self.connection.execute(query.encode(), texts)
        return [bool(row[0]) for row in found.fetchall()]

    def _relation(self, columns: Sequence[int]) -> str:
        """Return SQL for the candidates as a relation with the table's columns, generated ones included."""
        casts = [
            f"u.c{number}::{self.kinds.of(column.type).text} AS {identifier(column.name)}"
            for number, column in ((number, self.table.by_number[number]) for number in columns)
        ]
        columns_read = _doubled(", ".join(casts))
        arrays = ", ".join(["%s::text[]"] * len(columns))
        names = ", ".join(f"c{number}" for number in columns)
        relation = f'SELECT {columns_read}, u.n AS "?n" FROM unnest({arrays}) WITH ORDINALITY AS u({names}, n)'  # noqa: S608 - as above
        made = [
            _doubled(f"({column.default}) AS {identifier(column.name)}")
            for column in self.table.columns
            if column.generated and given_columns(self.table, (column.number,)) <= set(columns)
        ]
        return f"SELECT s.*, {', '.join(made)} FROM ({relation}) s" if made else relation  # noqa: S608 - as above


def _doubled(text: str) -> str:
    """Return SQL with its percent signs doubled for psycopg."""
    return text.replace("%", "%%")
