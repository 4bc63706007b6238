"""Rows that somebody gives by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Json, Jsonb

from harness.catalog import Table
from harness.config import HarnessError
from harness.seed.refusal import refused

Given = Mapping[str, Sequence[Mapping[str, object]]]
"""Rows by `schema.table`, each a mapping of column names to Python values."""


def insert_given(connection: psycopg.Connection[Any], table: Table, rows: Sequence[Mapping[str, object]]) -> int:
    """Insert the rows as they are; columns left out get their defaults.

    Raises:
        HarnessError: for an unknown column, or rows that the server refuses.
    """
    for row in rows:
        if unknown := sorted(set(row) - set(table.by_name)):
            raise HarnessError(
                f"the rows given for {table.qualified} name {', '.join(unknown)}, which it does not have.\n"
                f"  looked at: its columns {', '.join(table.by_name)}\n  remedy: correct `seed` or `given`"
            )
        try:
            connection.execute(_insert(table, row), [_adapted(table, name, value) for name, value in row.items()])
        except psycopg.Error as error:
            raise refused(table, error) from error
    return len(rows)


def _insert(table: Table, row: Mapping[str, object]) -> sql.Composed:
    name = sql.Identifier(table.schema, table.name)
    if not row:
        return sql.SQL("INSERT INTO {} DEFAULT VALUES").format(name)
    comma = sql.SQL(", ")
    return sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
        name, comma.join(map(sql.Identifier, row)), comma.join([sql.Placeholder()] * len(row))
    )


def _adapted(table: Table, name: str, value: object) -> object:
    """The value as psycopg takes it: objects for JSON columns are wrapped."""
    column = table.by_name[name]
    if column.base in ("json", "jsonb") and not column.array and not isinstance(value, str | None):
        return Jsonb(value) if column.base == "jsonb" else Json(value)
    return value
