"""Fixes as code that can be pasted: Alembic operations, and arguments of the model."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import indent
from typing import Any

from harness.catalog import Index, Table
from harness.sql.operations import Code, autocommit, execute, op, source, text
from harness.sql.quoting import identifier, qualified

NUMBERED = Code('sa.Column("id", sa.BigInteger, sa.Identity())')
"""The column of a generated key."""


def fix(migration: str, model: str = "") -> str:
    """The migration's side and the model's side of a fix; several lines of a migration stand below its name."""
    below = "\n" + indent(migration, "    ") if "\n" in migration else f" {migration}"
    return f"migration:{below}" + (f"\nmodel: {model}" if model else "")


def outside(*operations: str) -> str:
    """Operations that stop nobody, in lines that can be pasted: outside a transaction, waiting as long as it takes.

    CONCURRENTLY waits for every older transaction; a lock_timeout that ends it leaves an INVALID index.
    """
    return autocommit(execute("SET lock_timeout = 0"), *operations, execute("RESET lock_timeout"))


def create_index(table: Table, columns: Iterable[str], **named: object) -> str:
    """The fix that adds an index on `columns`: to a table with rows, and to one that its own revision makes."""
    names = list(columns)
    name = f"ix_{table.name}_{'_'.join(names)}"[:63]
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
    """The operations that build an index while its table is written to; what has its name goes first.

    A build that failed leaves an INVALID index of that name. CONCURRENTLY knows no partitioned tables; those take over
    the indexes that their partitions have (PostgreSQL manual, CREATE INDEX).
    """
    create = op("create_index", name, table.name, keys, schema=table.schema, **named)
    if table.kind == "p":
        return f"# first one like it on each partition, CONCURRENTLY; this takes them over\n{create}"
    concurrently = op(
        "create_index", name, table.name, keys, schema=table.schema, **named, postgresql_concurrently=True
    )
    return outside(drop_if_there(table, name), concurrently)


def index_keys(table: Table, index: Index) -> list[str]:
    """Return the keys of an index as op.create_index() takes them: columns by name, expressions as text()."""
    return [
        table.by_number[key.number].name if key.number else Code(f"sa.text({source(text(key.text))})")
        for key in index.keys
    ]


def create_foreign_key(
    table: Table, target: Table | None, name: str, columns: list[str], referenced: list[str], **named: Any
) -> str:
    """Return the operation that adds a foreign key; the operation has two arguments for schemas."""
    schemas = {"source_schema": table.schema, "referent_schema": target.schema if target else "public"}
    named |= {key: schema for key, schema in schemas.items() if schema != "public"}
    return op("create_foreign_key", name, table.name, target.name if target else "...", columns, referenced, **named)


def drop_index(table: Table, index: Index) -> str:
    """The fix that removes an index, or the constraint that it stands behind."""
    if index.constraint:
        return fix(
            op("drop_constraint", index.constraint, table.name, schema=table.schema),
            f"remove the constraint {index.constraint}, or unique=True",
        )
    model = f"remove the Index {index.name}, or index=True"
    if table.kind == "p":
        return fix(op("drop_index", index.name, table.name, schema=table.schema), model)
    return fix(outside(drop_if_there(table, index.name)), model)


def replace_index(table: Table, index: Index, keys: list[str], model: str, **named: object) -> str:
    """The fix that builds an index of the same name anew; a constraint that it stands behind is dropped for it."""
    build = build_index(table, index.name, keys, **named)
    if index.constraint:
        drop = f"ALTER TABLE {qualified(table)} DROP CONSTRAINT IF EXISTS {identifier(index.constraint)}"
        build = f"{execute(drop)}\n{build}"
    elif table.kind == "p":
        build = f"{op('drop_index', index.name, table.name, schema=table.schema)}\n{build}"
    return fix(build, model)


def drop_if_there(table: Table, index: str) -> str:
    """The operation that drops an index, if it is there, while its table is written to."""
    return op("drop_index", index, table.name, schema=table.schema, if_exists=True, postgresql_concurrently=True)


def alter_type(table: Table, column: str, kind: str, using: str = "") -> str:
    """The fix that changes a column's type; `kind` is the SQLAlchemy type as source."""
    named: dict[str, object] = {"type_": Code(kind)}
    if using:
        named["postgresql_using"] = using
    return fix(
        op("alter_column", table.name, column, schema=table.schema, **named),
        f"{column}: mapped_column({kind})",
    )
