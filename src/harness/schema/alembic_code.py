"""Fixes as code that can be pasted: Alembic operations, and arguments of the model."""

from __future__ import annotations

import json
from collections.abc import Iterable
from textwrap import indent

from sqlalchemy.dialects import postgresql

from harness.catalog import Index, Table

_PREPARER = postgresql.dialect().identifier_preparer  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


class Code(str):
    """A piece of Python that stands in a call as it is."""

    __slots__ = ()


def written(value: object) -> str:
    """A value as Python source."""
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(written, value)) + "]"
    return repr(value)


def op(name: str, *values: object, schema: str = "public", **named: object) -> str:
    """A call of Alembic's `op`; the schema is named unless it is public."""
    parts = [written(value) for value in values]
    parts += [f"{key}={written(value)}" for key, value in named.items()]
    if schema != "public":
        parts.append(f"schema={written(schema)}")
    return f"op.{name}({', '.join(parts)})"


def execute(sql: str) -> str:
    """A statement that Alembic has no operation for."""
    return f"op.execute({written(sql)})"


def fix(migration: str, model: str = "") -> str:
    """The migration's side and the model's side of a fix; several lines of a migration stand below its name."""
    below = "\n" + indent(migration, "    ") if "\n" in migration else f" {migration}"
    return f"migration:{below}" + (f"\nmodel: {model}" if model else "")


def identifier(name: str) -> str:
    """A name as SQL needs it: quoted when it is not plain lower case, or a reserved word."""
    return _PREPARER.quote(name)


def relation(table: Table) -> str:
    """A table's name as SQL needs it."""
    return f"{identifier(table.schema)}.{identifier(table.name)}"


def outside(*operations: str) -> str:
    """Operations that stop nobody, in lines that can be pasted: outside a transaction, waiting as long as it takes.

    CONCURRENTLY waits for every older transaction; a lock_timeout that ends it leaves an INVALID index.
    """
    lines = (execute("SET lock_timeout = 0"), *operations, execute("RESET lock_timeout"))
    return "\n".join(("with op.get_context().autocommit_block():", *(f"    {line}" for line in lines)))


def create_index(table: Table, columns: Iterable[str], **named: object) -> str:
    """The fix that adds an index on `columns`: to a table with rows, and to one that its own revision makes."""
    names = list(columns)
    name = f"ix_{table.name}_{'_'.join(names)}"[:63]
    arguments = ", ".join(written(column) for column in names)
    options = "".join(f", {key}={written(value)}" for key, value in named.items())
    plain = op("create_index", name, table.name, names, schema=table.schema, **named)
    there = [
        "migration, where the table exists already:",
        indent(build_index(table, name, names, **named), "    "),
        f"migration that creates the table: {plain}",
        f"model: Index({written(name)}, {arguments}{options}) in __table_args__",
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
        drop = f"ALTER TABLE {relation(table)} DROP CONSTRAINT IF EXISTS {identifier(index.constraint)}"
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
