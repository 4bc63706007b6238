"""Fixes as code that can be pasted: Alembic operations, and arguments of the model."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import indent
from typing import Any

from harness.catalog import Index, Table
from harness.sql.operations import (
    Code,
    autocommit,
    create_index_concurrently,
    drop_index_concurrently,
    execute,
    op,
    source,
    text,
)
from harness.sql.quoting import identifier, qualified

NUMBERED = Code('sa.Column("id", sa.BigInteger, sa.Identity())')
"""The column of a generated key."""


def fix(migration: str, model: str = "") -> str:
    """Return a fix of two sides, migration and model; several lines of a migration are below its name."""
    below = "\n" + indent(migration, "    ") if "\n" in migration else f" {migration}"
    return f"migration:{below}" + (f"\nmodel: {model}" if model else "")


def outside(*operations: str) -> str:
    """Return operations in a block that runs outside a transaction, and waits as long as it takes.

    CONCURRENTLY waits for every older transaction; a lock_timeout that ends it leaves an INVALID index.
    """
    return autocommit(execute("SET lock_timeout = 0"), *operations, execute("RESET lock_timeout"))


def create_index(table: Table, columns: Iterable[str], ending: str = "", **named: object) -> str:
    """Return the fix that adds an index on `columns`: to a table with rows, and to one that its own revision makes.

    Its name ends in `ending`, by default the columns.
    """
    names = list(columns)
    name = f"ix_{table.name}_{ending or '_'.join(names)}"[:63]
    arguments = ", ".join(source(column) for column in names)
    options = "".join(f", {key}={source(value)}" for key, value in named.items())
    plain = op("create_index", name, table.name, names, schema=table.schema, **named)
    there = [
        "migration, where the table exists already:",
        indent(build_index(table, name, names, **named), "    "),
        f"migration that creates the table: {plain}",
        f"model: Index({source(name)}, {arguments}{options}) in __table_args__",
    ]
    return "\n".join(there)


def build_index(table: Table, name: str, keys: list[str], **named: object) -> str:
    """Return the operations that build an index while its table is written to; one of its name is dropped first.

    A build that failed leaves an INVALID index of that name. CONCURRENTLY is not for partitioned tables, which take
    over the indexes of their partitions (PostgreSQL manual, CREATE INDEX).
    """
    if table.kind == "p":
        create = op("create_index", name, table.name, keys, schema=table.schema, **named)
        return f"# first one like it on each partition, CONCURRENTLY; this takes them over\n{create}"
    return outside(drop_index_concurrently(table, name), create_index_concurrently(table, name, keys, **named))


def index_keys(table: Table, index: Index) -> list[str]:
    """Return the keys of an index as op.create_index() takes them: columns by name, expressions as text()."""
    return [
        table.by_number[key.number].name if key.number else Code(f"sa.text({source(text(key.text))})")
        for key in index.keys
    ]


def model_index(table: Table, index: Index) -> str:
    """Return the Index of a model that makes an index of the database."""
    sorting = {1: " DESC NULLS LAST", 2: " NULLS FIRST", 3: " DESC"}
    keys = [
        Code(f"sa.text({source(text(key.text + sorting[key.option]))})") if key.option in sorting else name
        for key, name in zip(index.keys, index_keys(table, index), strict=True)
    ]
    named = {
        "unique": index.unique,
        "postgresql_using": index.method if index.method != "btree" else "",
        "postgresql_include": list(table.names(index.included)),
        "postgresql_where": Code(f"sa.text({source(text(index.predicate))})") if index.predicate else "",
        "postgresql_nulls_not_distinct": index.nulls_not_distinct,
    }
    options = [f"{name}={source(value)}" for name, value in named.items() if value]
    return f"Index({', '.join([source(index.name), *map(source, keys), *options])})"


def create_foreign_key(
    table: Table, target: Table | None, name: str, columns: list[str], referenced: list[str], **named: Any
) -> str:
    """Return the operation that adds a foreign key; the operation has two arguments for schemas."""
    schemas = {"source_schema": table.schema, "referent_schema": target.schema if target else "public"}
    named |= {key: schema for key, schema in schemas.items() if schema != "public"}
    return op("create_foreign_key", name, table.name, target.name if target else "...", columns, referenced, **named)


def drop_index(table: Table, index: Index) -> str:
    """Return the fix that removes an index, or the constraint that it belongs to."""
    if index.constraint:
        return fix(
            op("drop_constraint", index.constraint, table.name, schema=table.schema),
            f"remove the constraint {index.constraint}, or unique=True",
        )
    model = f"remove the Index {index.name}, or index=True"
    if table.kind == "p":
        return fix(op("drop_index", index.name, table.name, schema=table.schema), model)
    return fix(outside(drop_index_concurrently(table, index.name)), model)


def replace_index(table: Table, index: Index, keys: list[str], model: str, **named: object) -> str:
    """Return the fix that builds another index of the same name; the constraint that it belongs to is dropped."""
    build = build_index(table, index.name, keys, **named)
    if index.constraint:
        drop = f"ALTER TABLE {qualified(table)} DROP CONSTRAINT IF EXISTS {identifier(index.constraint)}"
        build = f"{execute(drop)}\n{build}"
    elif table.kind == "p":
        build = f"{op('drop_index', index.name, table.name, schema=table.schema)}\n{build}"
    return fix(build, model)


def alter_type(table: Table, column: str, kind: str, using: str = "") -> str:
    """Return the fix that changes a column's type; `kind` is the SQLAlchemy type as source."""
    named: dict[str, Any] = {"postgresql_using": using} if using else {}
    change = op("alter_column", table.name, column, schema=table.schema, type_=Code(kind), **named)
    return (
        f"migration, where the table exists already: {change}\n"
        f"migration that creates the table: {kind} as the type in sa.Column({source(column)}, ...)\n"
        f"model: {argument(column, kind)}"
    )


def argument(column: str, code: str) -> str:
    """Return what to change in a model's column, of which the catalog knows neither annotation nor other arguments."""
    return f"{code} in the mapped_column() of {column}"
