"""Whether a statement counts rows: what its select list says, subqueries and grouping looked at."""

from __future__ import annotations

from harness.sql.lexer import Tokens, after, bracketed, starts, statements, until


def counts_rows(text: str) -> bool:
    """Return whether a SELECT counts all that it finds: count( in its own select list, and no GROUP BY outside.

    A subquery in the list of a statement with FROM counts for each row, and is no count of the list; nor is a window.
    """
    return any(map(_counts, statements(text)))


def _counts(tokens: Tokens) -> bool:
    outer, subqueries = _apart(tokens)
    if tokens[0] not in ("SELECT", "WITH") or after(outer, "GROUP", "BY"):
        return False
    if not after(outer, "FROM") and any(map(_counts, subqueries)):
        return True
    listed = until(after(outer, "SELECT"), "FROM")
    calls = (listed[index + 1 :] for index in range(len(listed)) if starts(listed[index : index + 2], "COUNT", "("))
    return any(not starts(call[len(bracketed(call)) + 2 :], "OVER") for call in calls)


def _apart(tokens: Tokens) -> tuple[Tokens, list[Tokens]]:
    """A statement with each subquery emptied, and the subqueries."""
    outer: list[str] = []
    subqueries: list[Tokens] = []
    index = 0
    while index < len(tokens):
        outer.append(tokens[index])
        index += 1
        if outer[-1] == "(" and index < len(tokens) and tokens[index] in ("SELECT", "WITH"):
            subqueries.append(bracketed(tokens[index - 1 :]))
            index += len(subqueries[-1])
    return outer, subqueries
