"""Alembic's operations as Python source, to be pasted into a revision."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from harness.catalog import InSchema

BIND = re.compile(r"(?<![:\w$\\])(:[\w$]+)(?![:\w$])")
ESCAPED = re.compile(r"\\(:[\w$]*)(?![:\w$])")
"""What sqlalchemy.text() takes for a parameter, and for an escaped colon (sqlalchemy.sql.compiler)."""


class Code(str):
    """A piece of Python that is part of a call as it is."""

    __slots__ = ()


def source(value: object) -> str:
    """Return a value as Python source."""
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, str):
        return repr(value) if '"' in value else json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(source, value)) + "]"
    return repr(value)


def op(name: str, *values: object, schema: str = "public", **named: object) -> str:
    """Return a call of Alembic's `op`; the schema is named unless it is public."""
    parts = [source(value) for value in values]
    parts += [f"{key}={source(value)}" for key, value in named.items()]
    if schema != "public":
        parts.append(f"schema={source(schema)}")
    return f"op.{name}({', '.join(parts)})"


def create_index_concurrently(table: InSchema, name: str, keys: Sequence[str], **named: Any) -> str:
    """Return the operation that builds an index while its table is written to."""
    return op("create_index", name, table.name, keys, schema=table.schema, **named, postgresql_concurrently=True)


def drop_index_concurrently(table: InSchema, name: str) -> str:
    """Return the operation that drops an index, if it is there, while its table is written to."""
    return op("drop_index", name, table.name, schema=table.schema, if_exists=True, postgresql_concurrently=True)


def text(sql: str) -> str:
    r"""Return SQL as sqlalchemy.text() needs it, which Alembic calls on each string: `:name` is written `\:name`."""
    return BIND.sub(r"\\\1", ESCAPED.sub(r"\\\\\1", sql))


def execute(sql: str) -> str:
    """Return a call that runs a statement for which Alembic has no operation."""
    return f"op.execute({source(text(sql))})"


def autocommit(*operations: str) -> str:
    """Return operations in a block that runs outside of a transaction."""
    return "\n    ".join(("with op.get_context().autocommit_block():", *operations))
