"""Foreign keys of cycles, set after all rows are written."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
from psycopg import sql

from harness.catalog import Constraint, Table
from harness.seed.errors import refused
from harness.seed.references.parents import fitting
from harness.seed.references.table_order import can_be_null, own_columns


def set_waiting(connection: psycopg.Connection[Any], table: Table, key: Constraint, parent: Table) -> None:
    """Give each row its own parent, in the physical order of the tables.

    A key that shares columns with another one, or whose rows a CHECK refuses, stays NULL.

    Raises:
        HarnessError: when it must not be NULL.
    """
    shared = own_columns(table, key) != key.columns
    if shared and can_be_null(table, key):
        return
    try:
        with connection.transaction():
            connection.execute(_update(table, key, parent))
    except psycopg.Error as error:
        if not can_be_null(table, key) or not isinstance(error, psycopg.errors.IntegrityError):
            raise refused(table, error) from error


def _update(table: Table, key: Constraint, parent: Table) -> sql.Composed:
    columns = [sql.Identifier(name) for name in table.names(key.columns)]
    referenced = [sql.Identifier("q", name) for name in parent.names(key.referenced)]
    comma = sql.SQL(", ")
    return sql.SQL(
        "UPDATE {table} c SET {pairs} FROM "
        "(SELECT tableoid, ctid, row_number() OVER (ORDER BY tableoid, ctid) - 1 AS n FROM {table}) o JOIN "
        "(SELECT {keys}, row_number() OVER (ORDER BY {order}) - 1 AS n, count(*) OVER () AS total"
        " FROM {parent} q WHERE true{fit}) p "
        "ON p.n = o.n % p.total WHERE c.tableoid = o.tableoid AND c.ctid = o.ctid"
    ).format(
        table=sql.Identifier(table.schema, table.name),
        parent=sql.Identifier(parent.schema, parent.name),
        pairs=comma.join(
            sql.SQL("{} = p.{}").format(column, sql.Identifier(f"k{place}")) for place, column in enumerate(columns)
        ),
        keys=comma.join(
            sql.SQL("{} AS {}").format(name, sql.Identifier(f"k{place}")) for place, name in enumerate(referenced)
        ),
        order=comma.join(referenced),
        fit=fitting(table, key, referenced),
    )


def defer(connection: psycopg.Connection[Any], table: Table, key: Constraint) -> None:
    """Defer a key to the end of the transaction, even one that is not deferrable, until `restore`.

    Raises:
        HarnessError: when the role may not alter the table.
    """
    try:
        if not key.deferrable:
            connection.execute(_alter(table, key, "DEFERRABLE"))
        name = sql.Identifier(table.schema, key.name)
        connection.execute(sql.SQL("SET CONSTRAINTS {} DEFERRED").format(name))
    except psycopg.Error as error:
        raise refused(table, error) from error


def restore(connection: psycopg.Connection[Any], table: Table, key: Constraint) -> None:
    """Make a key that was not deferrable so again."""
    if not key.deferrable:
        connection.execute(_alter(table, key, "NOT DEFERRABLE"))


def _alter(table: Table, key: Constraint, how: LiteralString) -> sql.Composed:
    return sql.SQL("ALTER TABLE {} ALTER CONSTRAINT {} " + how).format(
        sql.Identifier(table.schema, table.name), sql.Identifier(key.name)
    )
