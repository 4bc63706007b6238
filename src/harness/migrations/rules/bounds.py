"""What bounds the rows that a statement writes, by its text and by what it wrote: the text alone is not believed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from harness.migrations.tracing.evidence import TracedStatement
from harness.sql import lexer

MOST = 100_000
"""Rows that one statement may write, at most: a limit or a range above it bounds nothing."""

NAMED = re.compile(r"%\((\w+)\)s")
PLACED = re.compile(r"%s")
PARAMETER = "?"
"""Replaces a parameter that is not a whole number: the end of a batch of other keys."""

LIMITS = ("LIMIT", "FIRST", "NEXT")
"""What a number of rows follows: LIMIT n, FETCH FIRST n ROWS."""


def bounded(statement: TracedStatement, changed: int, keys: frozenset[str]) -> bool:
    """Return whether a statement that wrote `changed` rows could never write many.

    It is bounded by a LIMIT that is not below what it wrote, or by two ends of one of the `keys` (columns of a unique
    index), no more than `MOST` apart. A DO block must COMMIT between its batches besides.
    """
    for tokens in lexer.statements(_filled(statement)):
        if tokens[0] == "DO":
            return statement.transaction is None and any(map(_in_batches, tokens))
        rest = _without_assignments(tokens)
        if any(number is None or changed <= number <= MOST for number in _limits(rest)):
            return True
        if any(width is None or width <= MOST for width in _widths(rest, keys)):
            return True
    return False


def seeks_nulls(statement: TracedStatement, table: str) -> bool:
    """Return whether a statement writes the rows of a table in which a column IS NULL: in production most rows."""
    for tokens in lexer.statements(statement.sql):
        targets = (
            lexer.name([word for word in tokens[index + 1 : index + 5] if word not in ("ONLY", "FROM")])
            for index, token in enumerate(tokens)
            if token in ("UPDATE", "DELETE")
        )
        if any(table.endswith(f".{name.rpartition('.')[2]}") for name in targets):
            return ("IS", "NULL") in itertools.pairwise(tokens)
    return False


def _filled(statement: TracedStatement) -> str:
    """Return the text with its parameters filled in, other values than whole numbers as `PARAMETER`."""
    numbers = dict(statement.numbers)
    places = iter(range(statement.sql.count("%s")))
    text = NAMED.sub(lambda found: f" {numbers.get(found[1], PARAMETER)} ", statement.sql)
    return PLACED.sub(lambda _: f" {numbers.get(str(next(places)), PARAMETER)} ", text)


def _in_batches(token: str) -> bool:
    """Return whether a block of plpgsql commits between statements that take a part of the rows."""
    words = [word for statement in lexer.statements(lexer.constant(token)) for word in statement]
    return "COMMIT" in words and bool(
        {"LIMIT", "FETCH", "BETWEEN"} & {*words} or all({sign, f"{sign}="} & {*words} for sign in "<>")
    )


def _without_assignments(tokens: lexer.Tokens) -> list[str]:
    """A statement without what it assigns: a LIMIT in there bounds what is read."""
    following = lexer.after(tokens, "SET")
    before = len(tokens) - len(following) if following else len(tokens)
    return [*tokens[:before], *following[len(lexer.until(following, "FROM", "WHERE", "RETURNING")) :]]


def _limits(tokens: lexer.Tokens) -> Iterator[int | None]:
    """The numbers of rows that a statement asks for; None for one that is not known."""
    for index, token in enumerate(tokens):
        if token in LIMITS and (index + 1 < len(tokens)):
            value = _value(tokens[index + 1 :])
            if value is not None:
                yield None if value == PARAMETER else int(value)


def _widths(tokens: lexer.Tokens, keys: frozenset[str]) -> Iterator[int | None]:
    """How far the ends of each key are apart, counted from 0 at least; None for ends that are no numbers."""
    lower: dict[str, int | str] = {}
    upper: dict[str, int | str] = {}
    for index in range(1, len(tokens)):
        column, rest = lexer.fold(tokens[index - 1]), tokens[index + 1 :]
        if tokens[index] in ("<", ">", "<=", ">="):
            end = _value(rest)
            if end is not None:
                (lower if tokens[index].startswith(">") else upper)[column] = end
        elif tokens[index] == "BETWEEN":
            first, last = _value(rest), _value(lexer.after(rest, "AND"))
            if first is not None and last is not None:
                lower[column], upper[column] = first, last
    for column in lower.keys() & upper.keys() & keys:
        start, end = lower[column], upper[column]
        yield end - max(start, 0) if isinstance(start, int) and isinstance(end, int) else None


def _value(tokens: lexer.Tokens) -> int | str | None:
    """The whole number that tokens begin with, or `PARAMETER`; None for anything else."""
    sign = -1 if tokens[:1] == ["-"] else 1
    word = next(iter(tokens[sign < 0 :]), "")
    if word == PARAMETER:
        return PARAMETER
    return sign * int(word) if word.isdecimal() else None
