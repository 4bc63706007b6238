"""Index predicates, read from the text that pg_get_expr gives: `((a IS NOT NULL) AND (b IS NOT NULL))`."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NOT_NULL = re.compile(r'^\(*("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*) IS NOT NULL\)*$')


def terms(predicate: str | None) -> list[str]:
    """The parts of a predicate that AND joins at the top; a predicate with OR is one part."""
    if predicate is None:
        return []
    return [predicate] if " OR " in predicate else predicate.split(" AND ")


def not_null_columns(predicate: str | None) -> set[str]:
    """The columns that the predicate says are not null."""
    found = set()
    for term in terms(predicate):
        match = _NOT_NULL.match(term)
        if match:
            name = match[1]
            found.add(name[1:-1].replace('""', '"') if name.startswith('"') else name)
    return found


def only_not_null(predicate: str | None, columns: Iterable[str]) -> bool:
    """Whether the predicate is absent, or says nothing but `IS NOT NULL` of these columns."""
    if predicate is None:
        return True
    named = not_null_columns(predicate)
    return len(named) == len(terms(predicate)) and named <= set(columns)
