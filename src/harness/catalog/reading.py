"""Reads a snapshot: a few queries in one READ ONLY, REPEATABLE READ transaction."""

from __future__ import annotations

import gc
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from harness.catalog import queries
from harness.catalog.objects import Extension, Function, Other, Role, Schema, Sequence, Snapshot, Type
from harness.catalog.relations import Column, Constraint, Index, Key, Policy, RewriteRule, Table, Trigger
from harness.errors import HarnessError

OLDEST = 140000
"""server_version_num of the oldest supported server."""

Row = tuple[Any, ...]
Piece = TypeVar("Piece")


class _Held(NamedTuple):
    """The part of pg_type that decides what a column of a type stores."""

    oid: int
    name: str
    kind: str
    base: int
    modifier: int
    not_null: bool
    element: int


@contextmanager
def read_only(connection: psycopg.Connection[Any]) -> Iterator[psycopg.Cursor[Row]]:
    """Open a READ ONLY, REPEATABLE READ transaction in which texts are comparable; roll it back at the end.

    Raises:
        HarnessError: when the connection has an open transaction, whose isolation can no longer be changed.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise HarnessError(
            "the catalogue cannot be read inside an open transaction", remedy="commit or roll back first"
        )
    autocommit = connection.autocommit
    connection.autocommit = True
    try:
        with connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute(queries.PLAIN)
            yield cursor
    finally:
        if not connection.closed:
            if connection.info.transaction_status != TransactionStatus.IDLE:
                connection.execute("ROLLBACK")
            connection.autocommit = autocommit


def prove_read_only(connection: psycopg.Connection[Any]) -> None:
    """Try a write in such a transaction, which is rolled back in any case.

    Raises:
        HarnessError: when the server does not refuse it with 25006, read_only_sql_transaction.
    """
    with read_only(connection) as cursor:
        try:
            cursor.execute(queries.WRITE)
        except psycopg.errors.ReadOnlySqlTransaction:
            return
        except psycopg.Error as error:
            raise HarnessError(
                f"a write that proves the transaction read-only failed for another reason: {error}",
                remedy="connect to a server on which temporary tables can be made",
            ) from error
    raise HarnessError(
        "the server accepted a write in a READ ONLY transaction; it was rolled back",
        remedy="do not judge this database: it may not be a PostgreSQL",
    )


def read_snapshot(connection: psycopg.Connection[Any]) -> Snapshot:
    """Read the database behind `connection`, which must have no open transaction.

    The scope is every schema but the system's, without objects of extensions, foreign and temporary tables, and the
    migration tool's own table.

    Raises:
        HarnessError: inside an open transaction, for a server below 14, or when reading would have written.
    """
    if connection.info.server_version < OLDEST:
        raise HarnessError(
            f"the server is PostgreSQL {connection.info.parameter_status('server_version')}",
            remedy="restore a dump of the database on PostgreSQL 14 or later, which the rules need, and judge that",
        )
    with read_only(connection) as cursor, _collector_paused():
        snapshot = _read(cursor)
        if not _rows(cursor, queries.UNWRITTEN)[0][0]:
            raise HarnessError(
                "reading the catalogue was given a transaction id, so something was written",
                remedy="report it as a bug of the harness",
            )
        return snapshot


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the garbage collector: it would traverse all objects again and again, and none of them is garbage."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _rows(cursor: psycopg.Cursor[Row], query: str, **values: object) -> list[Row]:
    """Return all rows of a query, arrays as tuples."""
    rows = cursor.execute(query.encode(), values or None).fetchall()
    return [tuple(tuple(value) if type(value) is list else value for value in row) for row in rows]


def _read(cursor: psycopg.Cursor[Row]) -> Snapshot:
    """Read the snapshot in the transaction of `cursor`."""
    version, database, role, can_write = _rows(cursor, queries.SERVER)[0]
    return Snapshot(
        version,
        database,
        role,
        can_write,
        frozenset(row[0] for row in _rows(cursor, queries.KEYWORDS)),
        schemas=_all(cursor, queries.SCHEMAS, Schema),
        relations=_relations(cursor),
        sequences=_all(cursor, queries.SEQUENCES, _sequence),
        functions=_all(cursor, queries.FUNCTIONS, Function),
        types=_all(cursor, queries.TYPES, _type),
        extensions=_all(cursor, queries.EXTENSIONS, Extension),
        roles=_all(cursor, queries.ROLES, Role),
        others=_all(cursor, queries.OTHERS, Other),
    )


def _all(cursor: psycopg.Cursor[Row], query: str, make: Callable[..., Piece]) -> tuple[Piece, ...]:
    """Return the objects that `make` creates from the rows of `query`."""
    return tuple(make(*row) for row in _rows(cursor, query))


def _relations(cursor: psycopg.Cursor[Row]) -> tuple[Table, ...]:
    """Return tables, views and materialized views with their parts."""
    rows = _rows(cursor, queries.RELATIONS)
    oids = [row[0] for row in rows]
    held = {row[0]: _Held(*row) for row in _rows(cursor, queries.TYPES_HELD)}
    classes = {row[0]: row[1] for row in _rows(cursor, queries.OPERATOR_CLASSES)}
    constraints = _grouped(cursor, queries.CONSTRAINTS, oids, lambda row: Constraint(*row[1:]))
    unproven = {
        (oid, item.columns[0])
        for oid, items in constraints.items()
        for item in items
        if item.kind == "n" and not item.validated
    }
    columns = _grouped(cursor, queries.COLUMNS, oids, lambda row: _column(row, held, unproven))
    names = {(oid, item.number): item.name for oid, items in columns.items() for item in items}
    indexes = _grouped(cursor, queries.INDEXES, oids, lambda row: _index(row, classes, names))
    triggers = _grouped(cursor, queries.TRIGGERS, oids, lambda row: Trigger(*row[1:]))
    policies = _grouped(cursor, queries.POLICIES, oids, lambda row: Policy(*row[1:]))
    rules = _grouped(cursor, queries.REWRITE_RULES, oids, lambda row: RewriteRule(*row[1:]))
    parts = (columns, constraints, indexes, triggers, policies, rules)
    return tuple(Table(*row, *(part[row[0]] for part in parts)) for row in rows)


def _grouped(
    cursor: psycopg.Cursor[Row], query: str, oids: list[int], make: Callable[[Row], Piece]
) -> defaultdict[int, tuple[Piece, ...]]:
    """Return the parts of relations by the relation's OID, which is in the first column."""
    groups: dict[int, list[Piece]] = defaultdict(list)
    for row in _rows(cursor, query, relations=oids):
        groups[row[0]].append(make(row))
    return defaultdict(tuple, {oid: tuple(items) for oid, items in groups.items()})


def _column(row: Row, held: dict[int, _Held], unproven: set[tuple[int, int]]) -> Column:
    """Return a column, with its type resolved through domains and arrays."""
    oid, number, name, type_oid, modifier, declared, not_null, *rest = row
    kind = held.get(type_oid)
    domain = declared if kind and kind.kind == "d" else None
    array = False
    while kind and (kind.kind == "d" or kind.element):
        if kind.kind == "d":
            not_null = not_null or (kind.not_null and not array)
            modifier = kind.modifier if modifier == -1 else modifier
        array = array or bool(kind.element)
        kind = held.get(kind.element or kind.base)
    base, base_oid = (kind.name, kind.oid) if kind else (declared, type_oid)
    proven = not_null and (oid, number) not in unproven
    return Column(number, name, declared, base, base_oid, array, domain, modifier, proven, *rest)


def _index(row: Row, classes: dict[int, str], names: dict[tuple[int, int], str]) -> Index:
    """Return an index, without its included columns among the keys."""
    count, numbers, opclasses, collations, options, texts = row[11:17]
    keys = tuple(
        Key(
            number,
            texts[place] if texts else names[row[0], number] if number > 0 else "",
            opclasses[place],
            classes[opclasses[place]],
            collations[place],
            options[place] if place < len(options) else 0,
        )
        for place, number in enumerate(numbers[:count])
    )
    values = [*row[1:11], keys, numbers[count:], *row[17:]]
    return Index(*values)


def _sequence(*row: Any) -> Sequence:
    """Return a sequence with its owner and the defaults that call it."""
    users = tuple((int(table), int(column)) for table, column in map(str.split, row[16]))
    values = [*row[:16], users, *row[17:]]
    return Sequence(*values)


def _type(*row: Any) -> Type:
    """Return a type with its labels, attributes or checks."""
    values = [*row[:10], tuple(map(tuple, map(json.loads, row[10]))), *row[11:]]
    return Type(*values)
