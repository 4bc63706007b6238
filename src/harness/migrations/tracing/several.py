"""Strings of several statements, which the server takes as one message: cut apart, so that each can be watched.

Outside a transaction such a string is a transaction of its own (manual, 55.2.2.1 "Multiple Statements in a Simple
Query"): it is kept as one, by BEGIN and COMMIT around the parts.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import psycopg

from harness.sql.lexer import split

CONTROL = {"ABORT", "BEGIN", "COMMIT", "END", "PREPARE", "RELEASE", "ROLLBACK", "SAVEPOINT", "START"}
"""First words of statements that begin and end transactions, or mark places in them."""

FIRST = re.compile(r"\w+")


def parts(sql: str, info: psycopg.ConnectionInfo) -> list[str]:
    """The statements of a string without parameters; none where it is one, or controls the transaction itself."""
    if ";" not in sql.rstrip("; \n"):
        return []
    found = split(sql, backslashes=info.parameter_status("standard_conforming_strings") == "off")
    control = any(word[0].upper() in CONTROL for statement in found if (word := FIRST.match(statement)))
    return [] if control or len(found) < 2 else found


@contextlib.contextmanager
def one_transaction(dbapi: Any) -> Iterator[None]:
    """What the server makes of a string outside a transaction."""
    cursor = dbapi.cursor()
    cursor.execute("BEGIN")
    try:
        yield
    except BaseException:
        with contextlib.suppress(psycopg.Error):  # the session may be lost
            cursor.execute("ROLLBACK")
        raise
    cursor.execute("COMMIT")
