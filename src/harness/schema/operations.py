"""Fixes as code that can be pasted: Alembic operations, and arguments of the model."""

from __future__ import annotations

import json
from collections.abc import Iterable

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
    """The migration's side and the model's side of a fix."""
    return f"migration: {migration}" + (f"\nmodel: {model}" if model else "")


def identifier(name: str) -> str:
    """A name as SQL needs it: quoted when it is not plain lower case, or a reserved word."""
    return _PREPARER.quote(name)


def relation(table: Table) -> str:
    """A table's name as SQL needs it."""
    return f"{identifier(table.schema)}.{identifier(table.name)}"


def create_index(table: Table, columns: Iterable[str], **named: object) -> str:
    """The fix that adds an index on `columns`."""
    names = list(columns)
    name = f"ix_{table.name}_{'_'.join(names)}"[:63]
    arguments = ", ".join(written(column) for column in names)
    options = "".join(f", {key}={written(value)}" for key, value in named.items())
    return fix(
        op("create_index", name, table.name, names, schema=table.schema, **named),
        f"Index({written(name)}, {arguments}{options}) in __table_args__",
    )


def drop_index(table: Table, index: Index) -> str:
    """The fix that removes an index, or the constraint that it stands behind."""
    if index.constraint:
        return fix(
            op("drop_constraint", index.constraint, table.name, schema=table.schema),
            f"remove the constraint {index.constraint}, or unique=True",
        )
    return fix(
        op("drop_index", index.name, table.name, schema=table.schema), f"remove the Index {index.name}, or index=True"
    )


def alter_type(table: Table, column: str, kind: str, using: str = "") -> str:
    """The fix that changes a column's type; `kind` is the SQLAlchemy type as source."""
    named: dict[str, object] = {"type_": Code(kind)}
    if using:
        named["postgresql_using"] = using
    return fix(
        op("alter_column", table.name, column, schema=table.schema, **named),
        f"{column}: mapped_column({kind})",
    )
