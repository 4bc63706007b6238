"""One session of the project as the recorder follows it, and what is kept of each statement it sends.

Several statements in one string reach the server as one message. They are split, so that each can be watched. Outside
a transaction such a string is a transaction by itself (manual, 55.2.2.1 "Multiple Statements in a Simple Query"): it
is kept as one, by BEGIN and COMMIT around its statements.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from harness.migrations.tracing.evidence import CatalogPart
from harness.migrations.tracing.session_state import SessionState
from harness.sql.lexer import split

IN_TRANSACTION = (TransactionStatus.INTRANS, TransactionStatus.INERROR)

CONTROL = {"ABORT", "BEGIN", "COMMIT", "END", "PREPARE", "RELEASE", "ROLLBACK", "SAVEPOINT", "START"}
"""First words of statements that begin and end transactions, or set savepoints in them."""

FIRST = re.compile(r"\w+")


@dataclass
class RecordedSession:
    """One connection: `dbapi` as SQLAlchemy uses it, `info` of psycopg's own, and what was read since its last look.

    `notices` are (SQLSTATE, text) since the statement began, `held` the locks from before it as (OID, mode), and
    `transaction` the number of the open transaction. `batch` holds the statements of a string of several while it
    runs, `numbers` the whole numbers among its parameters, and `refused` the error of one of them.
    """

    dbapi: Any
    info: psycopg.ConnectionInfo
    state: SessionState | None = None
    parts: frozenset[CatalogPart] | None = None
    notices: list[tuple[str, str]] = field(default_factory=list)
    held: frozenset[tuple[int, str]] = frozenset()
    transaction: int | None = None
    alone: bool = False
    """Whether that transaction is one string of several statements."""
    batch: list[str] = field(default_factory=list)
    numbers: tuple[tuple[str, int], ...] = ()
    refused: BaseException | None = None
    line: int | None = None
    """The line of the revision's file that sent the string."""
    started: float = 0.0
    probe: contextlib.ExitStack | None = None
    """Open while the statement is made to wait; `probed` then holds its locks."""
    probed: set[tuple[int, str]] = field(default_factory=set)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open on the server."""
        return self.info.transaction_status in IN_TRANSACTION

    def split(self, sql: str) -> list[str]:
        """Return the statements of a string of several; none for a single one, or for transaction control."""
        if ";" not in sql.rstrip("; \n"):
            return []
        found = split(sql, backslashes=self.info.parameter_status("standard_conforming_strings") == "off")
        control = any(word[0].upper() in CONTROL for statement in found if (word := FIRST.match(statement)))
        return [] if control or len(found) < 2 else found

    @contextlib.contextmanager
    def one_transaction(self) -> Iterator[None]:
        """Run the block as the server runs a string of several statements outside a transaction."""
        cursor = self.dbapi.cursor()
        cursor.execute("BEGIN")
        try:
            yield
        except BaseException:
            with contextlib.suppress(psycopg.Error):  # the session may be lost
                cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")


def refused_object(error: BaseException) -> str:
    """Return the column, constraint or table that the server names with an error; "" for none."""
    diag = getattr(error, "diag", None)
    names = [getattr(diag, name, None) for name in ("schema_name", "table_name", "column_name", "constraint_name")]
    return ".".join(name for name in names if name)


def whole_numbers(values: Any) -> tuple[tuple[str, int], ...]:
    """Return the whole numbers among the parameters of one run of a statement; none of several runs at once."""
    if isinstance(values, Mapping):
        named = [(str(name), value) for name, value in values.items()]
    else:
        named = [(str(place), value) for place, value in enumerate(values if isinstance(values, tuple) else ())]
    return tuple((name, value) for name, value in named if isinstance(value, int))


def one_line(sql: str) -> str:
    """Return a statement on one line, unless a comment ends with its line."""
    lines = sql.splitlines() if "--" in sql else [sql]
    return "\n".join(" ".join(line.split()) for line in lines if line.strip())
