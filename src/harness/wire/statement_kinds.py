"""The kind of a statement: what it is for, which decides whether a request is charged for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Literal

from harness.sql.lexer import Tokens, bracketed, constant, name, parts, starts, statements, until

Kind = Literal["set-up", "prepare", "fetch", "transaction control", "query"]
KINDS: tuple[Kind, ...] = ("set-up", "prepare", "fetch", "transaction control", "query")

CONTROL = {"BEGIN", "START", "COMMIT", "ROLLBACK", "END", "ABORT", "SAVEPOINT", "RELEASE"}
SESSION = {"SET", "RESET", "SHOW", "DISCARD", "DEALLOCATE", "LISTEN", "UNLISTEN"}
CURSOR = {"FETCH", "MOVE", "CLOSE"}
UNLOCK = ("SELECT", "PG_ADVISORY_UNLOCK_ALL", "(", ")")
"""Part of a session's reset; alone it is a query, because an app takes and releases such locks."""

SETTINGS = {"current_setting", "set_config"}
SESSION_FACTS = {"version", "current_schema", "current_database", "pg_backend_pid", "pg_is_in_recovery"}
TYPES = {"pg_type", "pg_namespace", "pg_range", "pg_enum", "pg_attribute", "pg_class"}
"""The catalogs that describe types (manual, chapter "System Catalogs")."""

WRITES = {"INSERT", "UPDATE", "DELETE", "MERGE"}
AFTER_FROM = ("WHERE", "GROUP", "HAVING", "WINDOW", "UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET", ")")

DECLARATION = re.compile(
    r'\s*declare\s+(?:"(?:[^"]|"")*"|[\w$]+)\s+'
    r"(?:(?:binary|asensitive|insensitive|no|scroll|cursor|with|without|hold)\s+)*for\s+",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def kind_of(text: str) -> Kind:
    """Return the kind of a text; an empty one, by which drivers test a connection, counts as set-up."""
    found = statements(text)
    if found and all(tokens[0] in CURSOR and not starts(tokens, "CLOSE", "ALL") for tokens in found):
        return "fetch"
    others = [tokens for tokens in found if tuple(tokens) != UNLOCK] or found
    controls = [tokens for tokens in others if _controls(tokens)]
    if not all(tokens in controls or _sets_up(tokens) for tokens in others):
        return "query"
    return "transaction control" if controls else "set-up"


@lru_cache(maxsize=4096)
def asks_about_types(text: str) -> bool:
    """Return whether a driver may ask this once on a connection: it reads types, or parameters for the time of that."""
    found = statements(text)
    return len(found) == 1 and (_reads_types(found[0]) or _sets_parameters(found[0]))


@lru_cache(maxsize=4096)
def asks_about_session(text: str) -> bool:
    """Return whether a driver may ask this when it has connected: which server and which schema it has reached."""
    found = statements(text)
    return len(found) == 1 and _calls_only(found[0], SESSION_FACTS)


def declared_query(text: str) -> str:
    """Return the query of a DECLARE CURSOR; any other text as it is."""
    found = DECLARATION.match(text)
    return text[found.end() :] if found else text


def _controls(tokens: Tokens) -> bool:
    return tokens[0] in CONTROL or starts(tokens, "PREPARE", "TRANSACTION")


def _sets_up(tokens: Tokens) -> bool:
    return tokens[0] in SESSION or starts(tokens, "CLOSE", "ALL") or _sets_parameters(tokens)


def _sets_parameters(tokens: Tokens) -> bool:
    """Return whether a SELECT is SHOW and SET by functions, of the server's parameters: an app's own have a dot."""
    arguments = [bracketed(tokens[index:]) for index, word in enumerate(tokens) if word == "("]
    own = [each for each in arguments if not each or each[0][0] != "'" or "." in constant(each[0])]
    return _calls_only(tokens, SETTINGS) and not own


def _calls_only(tokens: Tokens, functions: set[str]) -> bool:
    """Return whether a SELECT without FROM only calls some of these functions."""
    if tokens[0] != "SELECT" or "FROM" in tokens:
        return False
    calls = [name(item).removeprefix("pg_catalog.") for item in parts(tokens[1:], ",")]
    return bool(calls) and functions.issuperset(calls)


def _reads_types(tokens: Tokens) -> bool:
    if tokens[0] not in ("SELECT", "WITH") or WRITES.intersection(tokens):
        return False
    read = {each.removeprefix("pg_catalog.") for each in _relations(tokens)}
    return "pg_type" in read and TYPES.issuperset(read - set(_defined(tokens)))


def _relations(tokens: Tokens) -> Iterator[str]:
    """The names after FROM and JOIN at any depth; a function there counts, a subquery has its own."""
    for index, word in enumerate(tokens):
        if word == "FROM":
            listed = until(tokens[index + 1 :], *AFTER_FROM)
            for item in chain.from_iterable(parts(each, "JOIN") for each in parts(listed, ",")):
                found = [each for each in item if each not in ("ONLY", "LATERAL")]
                if found and found[0] != "(":
                    yield name(found)


def _defined(tokens: Tokens) -> Iterator[str]:
    """The names that WITH defines: before AS (, and perhaps before a list of columns."""
    for index in range(1, len(tokens)):
        if starts(tokens[index:], "AS", "("):
            before = tokens[:index]
            if before[-1] == ")":
                before = before[: len(before) - 1 - list(reversed(before)).index("(")]
            yield name(before[-1:])
