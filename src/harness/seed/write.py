"""Writes the rows of a plan: by COPY or, if keys still collide, by INSERT that skips existing keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import sql

from harness.catalog import Sequence as DatabaseSequence
from harness.catalog import Snapshot, Table
from harness.seed.plan import Plan
from harness.seed.values.column_types import ColumnTypes
from harness.seed.values.generators import Text, scrambled
from harness.seed.values.sources import Row

CHUNK = 10_000
"""Rows between two reports of progress."""

PATIENCE = 20
"""Consecutive sets without one row kept, after which a table counts as full."""

Report = Callable[[int], None]

SIGNS = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_ESCAPES = str.maketrans(SIGNS)


def copy_rows(connection: psycopg.Connection[Any], plan: Plan, rows: int, report: Report) -> int:
    """COPY the first `rows` rows into the table; return the number kept.

    COPY writes identity columns as given, also GENERATED ALWAYS, and fires triggers.
    """
    if not plan.columns:
        statement = sql.SQL("INSERT INTO {} SELECT FROM generate_series(1, {})").format(_name(plan.table), rows)
        return connection.execute(statement).rowcount
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(_name(plan.table), _names(plan.table, plan.columns))
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for start in range(0, rows, CHUNK):
                end = min(start + CHUNK, rows)
                copy.write(b"".join(map(encode, plan.blocks(start, end))))
                report(end)
        return cursor.rowcount


def encode(block: Sequence[Sequence[Text]]) -> bytes:
    """Return columns of texts as rows in COPY's text format."""
    return "".join(["\t".join(row) + "\n" for row in zip(*map(_escaped, block), strict=True)]).encode()


def _escaped(column: Sequence[Text]) -> Sequence[str]:
    """Return the column's texts, escaped; a column without special characters is returned as it is."""
    texts = [text for text in column if text is not None]
    everything = "".join(texts)
    if any(sign in everything for sign in SIGNS):
        return ["\\N" if text is None else text.translate(_ESCAPES) for text in column]
    return texts if len(texts) == len(column) else ["\\N" if text is None else text for text in column]


def insert_rows(
    connection: psycopg.Connection[Any], table: Table, kinds: ColumnTypes, columns: Sequence[int], rows: Sequence[Row]
) -> int:
    """INSERT rows of texts in one statement, except those that collide; return the number inserted."""
    types = [sql.SQL(kinds.of(table.by_number[number].type).text) for number in columns]
    names = [sql.Identifier(f"c{number}") for number in columns]
    statement = sql.SQL(
        "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {values} FROM unnest({arrays})"
        " AS u({names}) ON CONFLICT DO NOTHING"
    ).format(
        table=_name(table),
        columns=_names(table, columns),
        values=sql.SQL(", ").join(sql.SQL("{}::{}").format(*pair) for pair in zip(names, types, strict=True)),
        arrays=sql.SQL(", ").join([sql.SQL("%s::text[]")] * len(columns)),
        names=sql.SQL(", ").join(names),
    )
    return connection.execute(statement, [list(column) for column in zip(*rows, strict=True)]).rowcount


def squeeze_rows(connection: psycopg.Connection[Any], plan: Plan, kinds: ColumnTypes, rows: int, report: Report) -> int:
    """Insert up to `rows` rows, then rows with mixed parts, except those that collide."""
    kept = start = idle = 0
    while kept < rows and idle < PATIENCE:
        size = min(1000, rows - kept)
        batch = list(plan.rows(start, start + size)) if start < rows else _mixed(plan, start, size, rows)
        added = insert_rows(connection, plan.table, kinds, plan.columns, batch)
        idle = 0 if added else idle + 1
        kept, start = kept + added, start + size
        report(kept)
    return kept


def _mixed(plan: Plan, start: int, size: int, rows: int) -> list[Row]:
    """Return rows whose sources are read at different indexes."""
    found = []
    for number in range(start, start + size):
        sources = plan.parts[number % len(plan.parts)]
        texts: dict[int, Text] = {}
        for place, source in enumerate(sources):
            row = source.row(scrambled(number * 61 + place) % (rows + start))
            texts |= dict(zip(source.columns, row, strict=True))
        found.append(tuple(texts[column] for column in plan.columns))
    return found


def advance_sequences(connection: psycopg.Connection[Any], snapshot: Snapshot, table: Table) -> None:
    """Advance the sequences of the table's columns past the values that were written."""
    for item in snapshot.sequences:
        pairs = {*item.users, (item.owner_table, item.owner_column)}
        for oid, number in pairs:
            if oid == table.oid and number in table.by_number:
                _advance(connection, item, table, number)


def _advance(connection: psycopg.Connection[Any], item: DatabaseSequence, table: Table, number: int) -> None:
    up = item.increment > 0
    statement = sql.SQL(
        "SELECT setval({literal}, edge) FROM (SELECT {edge}({column})::int8 AS edge FROM {table}) t, {sequence} s"
        " WHERE edge {behind} s.last_value AND edge BETWEEN {low} AND {high}"
    ).format(
        literal=sql.Literal(sql.Identifier(item.schema, item.name).as_string(connection)),
        edge=sql.SQL("max" if up else "min"),
        column=sql.Identifier(table.by_number[number].name),
        table=_name(table),
        sequence=sql.Identifier(item.schema, item.name),
        behind=sql.SQL(">=" if up else "<="),
        low=item.minimum,
        high=item.maximum,
    )
    connection.execute(statement)


def _name(table: Table) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)


def _names(table: Table, columns: Sequence[int]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, table.names(tuple(columns))))
