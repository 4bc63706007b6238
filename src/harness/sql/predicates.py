"""Index predicates, read from the text that pg_get_expr gives: `((a IS NOT NULL) AND (b IS NOT NULL))`."""

from __future__ import annotations

from collections.abc import Iterable

from harness.sql.lexer import Tokens, bracketed, fold, parts, starts, statements


def terms(predicate: str | None) -> list[Tokens]:
    """Return the parts of a predicate that AND joins outside of brackets; one with OR there is one part."""
    found = [_bare(tokens) for tokens in statements(predicate or "")]
    return [_bare(part) for tokens in found for part in _joined(tokens)]


def not_null_columns(predicate: str | None) -> set[str]:
    """Return the columns that the predicate says are not null."""
    return {fold(term[0]) for term in terms(predicate) if tuple(term[1:]) == ("IS", "NOT", "NULL")}


def only_not_null(predicate: str | None, columns: Iterable[str]) -> bool:
    """Return whether the predicate is absent, or says only `IS NOT NULL` of these columns."""
    named = not_null_columns(predicate)
    return len(named) == len(terms(predicate)) and named <= set(columns)


def _joined(tokens: Tokens) -> list[Tokens]:
    return parts(tokens, "AND") if len(parts(tokens, "OR")) == 1 else [tokens]


def _bare(tokens: Tokens) -> Tokens:
    """Tokens without the brackets around all of them."""
    while starts(tokens, "(") and len(bracketed(tokens)) == len(tokens) - 2:
        tokens = bracketed(tokens)
    return tokens
