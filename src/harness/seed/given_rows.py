"""Rows given by hand."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Json, Jsonb

from harness.catalog import Table
from harness.errors import HarnessError
from harness.seed.errors import refused

Given = Mapping[str, Sequence[Mapping[str, object]]]
"""Rows by `schema.table`, each a mapping of column names to Python values."""


EXAMPLE = '{"public.account": [{"id": 1, "number": "4111111111111111"}]}'


def read_given(value: object, name: str) -> Given:
    """Return the value of `name`, checked to be rows by table; no rows for None.

    Raises:
        HarnessError: for another shape.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _mistake(name, value, "is not a dictionary of tables")
    for table, rows in value.items():
        if not isinstance(table, str):
            raise _mistake(name, table, "is not a table's name")
        if not isinstance(rows, Sequence) or isinstance(rows, str):
            raise _mistake(name, rows, f"is not a list of the rows of {table}")
        for row in rows:
            if not isinstance(row, Mapping) or not all(isinstance(column, str) for column in row):
                raise _mistake(name, row, f"is not a row of {table}, a dictionary of columns to values")
    return value


def _mistake(name: str, value: object, problem: str) -> HarnessError:
    return HarnessError(f"{name}: {reprlib.repr(value)} {problem}", remedy=f"write it like this: {EXAMPLE}")


def insert_given(connection: psycopg.Connection[Any], table: Table, rows: Sequence[Mapping[str, object]]) -> int:
    """Insert the rows as they are; columns left out get their defaults.

    Raises:
        HarnessError: for an unknown column, or rows that the server refuses.
    """
    for row in rows:
        if unknown := sorted(set(row) - set(table.by_name)):
            raise HarnessError(
                f"the rows given for {table.qualified} name {', '.join(unknown)}, which it does not have",
                looked_at=f"its columns: {', '.join(table.by_name)}",
                remedy="correct `seed` or `given`",
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
    """Return the value for psycopg: objects for JSON columns are wrapped."""
    column = table.by_name[name]
    if column.base in ("json", "jsonb") and not column.array and not isinstance(value, str | None):
        return Jsonb(value) if column.base == "jsonb" else Json(value)
    return value
