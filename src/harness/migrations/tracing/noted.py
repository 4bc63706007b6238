"""What is written down of a statement's text, of the values beside it, and of its error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def refused(error: BaseException) -> str:
    """The column or constraint, or at least the table, that the server names beside an error; empty for none."""
    diag = getattr(error, "diag", None)
    names = [getattr(diag, name, None) for name in ("schema_name", "table_name", "column_name", "constraint_name")]
    return ".".join(name for name in names if name)


def numbers(values: Any) -> tuple[tuple[str, int], ...]:
    """The whole numbers among the parameters of one run of a statement; none of several runs at once."""
    if isinstance(values, Mapping):
        named = [(str(name), value) for name, value in values.items()]
    else:
        named = [(str(place), value) for place, value in enumerate(values if isinstance(values, tuple) else ())]
    return tuple((name, value) for name, value in named if isinstance(value, int))


def tidy(sql: str) -> str:
    """On one line, unless a comment ends with its line."""
    lines = sql.splitlines() if "--" in sql else [sql]
    return "\n".join(" ".join(line.split()) for line in lines if line.strip())
