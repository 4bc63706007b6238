"""Mistakes in SQL, also in branches that no test takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.migrations.files.source import RevisionSource
from harness.rules import Breach, rule
from harness.sql import lexer

BEGINS = (("BEGIN",), ("START", "TRANSACTION"))
ENDS = ("COMMIT", "END", "ROLLBACK", "ABORT", "PREPARE")


@rule("uncommitted", "error", "A revision ends each transaction that it begins")
def uncommitted(source: RevisionSource) -> Iterator[Breach]:
    """Find BEGIN without COMMIT or ROLLBACK in the same function.

    Why: the changes are lost when the connection closes, although Alembic has recorded the revision
    Fix: leave BEGIN and COMMIT to Alembic, which runs each revision in a transaction
    """
    for function, statements in _by_function(source):
        open_, line = "", 0
        for tokens, text, start in statements:
            if any(lexer.starts(tokens, *words) for words in BEGINS):
                open_, line = text, start
            elif tokens[0] in ENDS and not lexer.starts(tokens, "ROLLBACK", "TO"):
                open_ = ""
        if open_:
            message = f"{function}() sends {open_}, and no COMMIT or ROLLBACK after it"
            yield Breach(function, message, statement=open_, line=line)


@rule("duplicate-column-assignment", "error", "A statement assigns each column once")
def duplicate_column(source: RevisionSource) -> Iterator[Breach]:
    """Find UPDATE and INSERT statements that assign a column twice.

    Why: Postgres rejects the statement (42701 or 42601); if no test runs the statement, this happens in production
    Fix: remove one of the two assignments
    """
    for function, statements in _by_function(source):
        for tokens, text, line in statements:
            table, columns = _written(tokens)
            for column, count in Counter(columns).items():
                if count > 1:
                    message = f"{tokens[0]} in {function}() assigns {column} {count} times"
                    place = f"{table}.{column}"
                    yield Breach(place, message, statement=text, line=line)


@rule("enum-value-ordering", "info", "A new enum value has a position")
def enum_order(source: RevisionSource) -> Iterator[Breach]:
    """Find ALTER TYPE ... ADD VALUE without BEFORE or AFTER.

    Why: without BEFORE or AFTER the value becomes the last in ORDER BY and comparisons, and cannot be moved later
    Fix: ALTER TYPE ... ADD VALUE IF NOT EXISTS 'value' AFTER 'neighbour'
    """
    for function, statements in _by_function(source):
        for tokens, text, line in statements:
            value = lexer.after(tokens, "ADD", "VALUE") if lexer.starts(tokens, "ALTER", "TYPE") else ()
            if value and not {"BEFORE", "AFTER"} & set(value):
                label = next((token for token in value if token.startswith("'")), "")
                place = f"{lexer.name(tokens[2:])}.{lexer.constant(label)}"
                message = f"in {function}() {label} becomes the last value of {lexer.name(tokens[2:])}"
                yield Breach(place, message, statement=text, line=line)


def _by_function(source: RevisionSource) -> Iterator[tuple[str, list[tuple[lexer.Tokens, str, int]]]]:
    """Yield the statements that each function sends, in order and with their lines, if the file holds their text."""
    for function in source.functions:
        sent = [(text, expression.lineno) for expression, text in source.statements(function) if text]
        yield function.name, [(*pair, line) for text, line in sent for pair in lexer.tokens_and_texts(text)]


def _written(tokens: lexer.Tokens) -> tuple[str, list[str]]:
    """The table and the columns that an UPDATE or INSERT writes."""
    if lexer.starts(tokens, "UPDATE"):
        rest = tokens[2:] if lexer.starts(tokens, "UPDATE", "ONLY") else tokens[1:]
        return lexer.name(rest), _assigned(lexer.until(lexer.after(rest, "SET"), "WHERE", "FROM", "RETURNING"))
    if lexer.starts(tokens, "INSERT", "INTO"):
        rest = lexer.until(tokens[2:], "VALUES", "SELECT", "DEFAULT", "OVERRIDING", "WITH")
        return lexer.name(rest), _listed(rest)
    return "", []


def _assigned(tokens: lexer.Tokens) -> list[str]:
    """The columns left of `=`; `(a, b) = …` names two."""
    columns: list[str] = []
    for part in lexer.parts(tokens, ","):
        if part[0] == "(":
            columns += _listed(lexer.until(part, "="))
        elif lexer.starts(part[1:], "="):
            columns.append(lexer.fold(part[0]))
    return columns


def _listed(tokens: lexer.Tokens) -> list[str]:
    """The plain names of the parenthesis that `tokens` end with."""
    if "(" not in tokens or tokens[-1] != ")":
        return []
    inside = tokens[tokens.index("(") + 1 : -1]
    return [lexer.fold(part[0]) for part in lexer.parts(inside, ",") if len(part) == 1]
