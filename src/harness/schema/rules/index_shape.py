"""Keys, predicates and methods of indexes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.catalog import Index, Snapshot, Table
from harness.rules import Breach, rule
from harness.schema.alembic_code import index_keys, replace_index
from harness.schema.options import Options
from harness.sql.operations import source
from harness.sql.predicates import not_null_columns
from harness.sql.quoting import identifier


def _every(snapshot: Snapshot) -> Iterator[tuple[Table, Index]]:
    """Indexes of root tables and materialized views."""
    for table in snapshot.relations:
        for index in () if table.partition else table.indexes:
            yield table, index


@rule("index-on-boolean", "warning", "No index is on a boolean column alone")
def index_on_boolean(snapshot: Snapshot) -> Iterator[Breach]:
    """Find indexes whose only key is a boolean, unless partial or unique.

    Why: each value covers half of the table, so a sequential scan is cheaper, but every write maintains the index
    Fix: index another column, with a predicate on the rarer value
    """
    for table, index in _every(snapshot):
        if len(index.keys) != 1 or index.predicate or index.unique or not index.columns[0]:
            continue
        column = table.by_number[index.columns[0]]
        if column.base == "bool" and not column.array:
            key = table.names(table.primary_key.columns)[0] if table.primary_key else "..."
            where = identifier(column.name)
            model = f'Index("{index.name}", "{key}", postgresql_where={source(where)})'
            yield Breach(
                f"{table.qualified}.{index.name}",
                f"its only key {column.name} is boolean, and it covers every row",
                replace_index(table, index, [key], model, postgresql_where=where),
            )


WRONG = ("btree", "hash")
SEARCHED = ("jsonb", "tsvector")


@rule("index-wrong-method", "error", "Arrays, jsonb and tsvector are indexed by GIN")
def index_wrong_method(snapshot: Snapshot) -> Iterator[Breach]:
    """Find non-unique B-tree and hash indexes on arrays, jsonb or tsvector.

    Why: a B-tree or hash index compares whole values: it does not serve @>, ?, && or @@, and long values do not fit
    Fix: USING gin, or an expression index on the part that is compared
    """
    for table, index in _every(snapshot):
        if index.method not in WRONG or index.unique:
            continue
        columns = [table.by_number[number] for number in index.columns if number]
        for column in columns:
            if column.array or column.base in SEARCHED:
                model = f'Index("{index.name}", "{column.name}", postgresql_using="gin")'
                yield Breach(
                    f"{table.qualified}.{index.name}",
                    f"{index.method} on {column.name} {column.type}",
                    replace_index(table, index, [column.name], model, postgresql_using="gin"),
                )
                break


@rule("index-predicate-needless", "warning", "An index predicate excludes rows")
def index_predicate_needless(snapshot: Snapshot) -> Iterator[Breach]:
    """Find index predicates `column IS NOT NULL` on NOT NULL columns.

    Why: the column is never null, so the predicate excludes nothing and keeps some queries from using the index
    Fix: create the index without the predicate
    """
    for table, index in _every(snapshot):
        named = sorted(not_null_columns(index.predicate))
        needless = [name for name in named if name in table.by_name and table.by_name[name].not_null]
        if needless:
            keys = index_keys(table, index)
            yield Breach(
                f"{table.qualified}.{index.name}",
                f"WHERE {index.predicate}, but {', '.join(needless)} is NOT NULL",
                replace_index(table, index, keys, "remove postgresql_where", unique=index.unique),
            )


WIDEST = 5


@rule("index-too-wide", "warning", "An index has at most five keys")
def index_too_wide(snapshot: Snapshot) -> Iterator[Breach]:
    """Find indexes with more than five keys, unless unique.

    Why: keys after the first few rarely narrow a search, and each makes the index larger and writes slower
    Fix: keep the keys that are searched, and INCLUDE those that are only read
    """
    for table, index in _every(snapshot):
        if len(index.keys) > WIDEST and not index.unique:
            keys = index_keys(table, index)
            model = f"Index(..., postgresql_include={source(keys[2:])})"
            yield Breach(
                f"{table.qualified}.{index.name}",
                f"{len(keys)} keys: {', '.join(key.text for key in index.keys)}",
                replace_index(table, index, keys[:2], model, postgresql_include=keys[2:]),
            )


_LOWER = re.compile(r'^lower\(\(?("(?:[^"]|"")+"|[a-z_][a-z0-9_]*)\)?::text\)$')


@rule("index-lower-on-citext", "warning", "A citext column is indexed without lower()")
def index_lower_on_citext(snapshot: Snapshot) -> Iterator[Breach]:
    """Find indexes on lower(column) of citext columns.

    Why: citext is case-insensitive already; queries on the column do not use an index on lower() of it
    Fix: index the column itself
    """
    for table, index in _every(snapshot):
        for key in index.keys:
            match = None if key.number else _LOWER.match(key.text)
            column = table.by_name.get(match[1].strip('"')) if match else None
            if column and column.base == "citext":
                model = f'Index("{index.name}", "{column.name}")'
                yield Breach(
                    f"{table.qualified}.{index.name}",
                    f"{key.text}, and {column.name} is {column.type}",
                    replace_index(table, index, [column.name], model, unique=index.unique),
                )


@rule("index-null-lead", "warning", "An index leaves out nulls that are never searched for", optional=True)
def index_null_lead(snapshot: Snapshot) -> Iterator[Breach]:
    """Find non-unique B-tree indexes whose first key is nullable and whose predicate does not exclude nulls.

    Why: entries for nulls make the index larger, although look-ups by value never read them
    Fix: add WHERE column IS NOT NULL
    """
    for table, index in _every(snapshot):
        first = table.by_number.get(index.columns[0]) if index.keys else None
        if index.unique or index.method != "btree" or first is None or first.not_null:
            continue
        if first.name not in not_null_columns(index.predicate):
            where = f"{identifier(first.name)} IS NOT NULL"
            keys = index_keys(table, index)
            model = f'Index(..., postgresql_where=text("{where}"))'
            yield Breach(
                f"{table.qualified}.{index.name}",
                f"its first key {first.name} may be null, and the nulls are indexed",
                replace_index(table, index, keys, model, postgresql_where=where),
            )


@rule("timestamp-in-the-middle", "warning", "A timestamp is the last key of an index", optional=True)
def timestamp_in_the_middle(snapshot: Snapshot) -> Iterator[Breach]:
    """Find B-tree indexes with a timestamp before the last key.

    Why: timestamps are searched by range, and no key after a range narrows the search
    Fix: move the timestamp to the end
    """
    for table, index in _every(snapshot):
        early = [table.by_number[number] for number in index.columns[:-1] if number]
        times = [column.name for column in early if column.base in ("timestamp", "timestamptz")]
        if index.method == "btree" and times and not index.unique:
            keys = [key.text for key in index.keys if key.text not in times] + times
            model = f"Index(..., {', '.join(map(source, keys))})"
            yield Breach(
                f"{table.qualified}.{index.name}",
                f"{times[0]} is before {index.keys[-1].text}",
                replace_index(table, index, keys, model),
            )


@rule("too-many-indexes", "warning", "A table has a limited number of indexes", optional=True)
def too_many_indexes(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """Find tables with more indexes than the option most-indexes allows.

    Why: every insert and most updates maintain every index, and HOT updates become impossible
    Fix: drop the indexes that no query needs
    """
    for table in snapshot.roots:
        if len(table.indexes) > options.most_indexes:
            names = ", ".join(index.name for index in table.indexes)
            yield Breach(table.qualified, f"{len(table.indexes)} indexes, {options.most_indexes} allowed: {names}")
