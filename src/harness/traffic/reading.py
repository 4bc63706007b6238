"""The rows of pg_stat_statements for one database (PostgreSQL manual, F.32), added up over roles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from harness.errors import HarnessError
from harness.sql.quoting import identifier

EXTENSION = """
SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_stat_statements' /* harness_traffic */
"""
SEES_ALL = "SELECT current_user, pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') /* harness_traffic */"
STATEMENTS = sql.SQL("""
SELECT min(query), sum(calls)::bigint, sum(total_exec_time), max(max_exec_time), sum(rows)::bigint
FROM {schema}.pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
AND query NOT LIKE '%harness_traffic%'
GROUP BY queryid
""")
"""All statements but those of this command."""

SINCE = sql.SQL("SELECT stats_reset FROM {schema}.pg_stat_statements_info /* harness_traffic */")

_ROUTE = re.compile(r"/\* ?((?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|<other>) [^*\s]+) ?\*/\s*;?\s*$")


@dataclass(frozen=True, slots=True)
class StatementStatistics:
    """One statement with `$1` for its values; times in milliseconds, `share` of all time spent in the database."""

    text: str
    calls: int
    total: float
    longest: float
    rows: int
    share: float

    @property
    def mean(self) -> float:
        """Milliseconds per call."""
        return self.total / max(self.calls, 1)

    @property
    def route(self) -> str:
        """The endpoint in the comment at the end of the text, such as `GET /v1/todos`; "" without one.

        Postgres keeps the first text of a statement, so only one of several endpoints shows.
        """
        found = _ROUTE.search(self.text)
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Traffic:
    """All statements of a database since `since` (None if the server does not know)."""

    statements: tuple[StatementStatistics, ...]
    since: datetime | None

    def frequent(self, limit: int) -> list[StatementStatistics]:
        """Return the `limit` statements with the most calls."""
        return sorted(self.statements, key=lambda item: (-item.calls, item.text))[:limit]

    def slowest(self, limit: int) -> list[StatementStatistics]:
        """Return the `limit` statements with the longest mean time."""
        return sorted(self.statements, key=lambda item: (-item.mean, item.text))[:limit]


def read(cursor: psycopg.Cursor[Any]) -> Traffic:
    """Read the statistics of the current database's statements.

    Raises:
        HarnessError: when the extension is not installed or not loaded, or the role may not see others' statements.
    """
    database = cursor.connection.info.dbname
    found = cursor.execute(EXTENSION).fetchone()
    if found is None:
        raise HarnessError(
            f"database {database} does not have pg_stat_statements",
            remedy="set shared_preload_libraries = 'pg_stat_statements', restart, then CREATE EXTENSION "
            "pg_stat_statements",
        )
    role, sees_all = cursor.execute(SEES_ALL).fetchone() or ("", False)
    if not sees_all:
        raise HarnessError(
            f"role {role} may not see the statements of other roles",
            remedy=f"GRANT pg_read_all_stats TO {identifier(role)}, or connect as a role that has it",
        )
    schema = sql.SQL(found[0])
    try:
        rows = cursor.execute(STATEMENTS.format(schema=schema)).fetchall()
    except psycopg.errors.ObjectNotInPrerequisiteState as error:
        raise HarnessError(
            f"the server of {database} has not loaded pg_stat_statements",
            remedy="set shared_preload_libraries = 'pg_stat_statements' and restart",
        ) from error
    since = cursor.execute(SINCE.format(schema=schema)).fetchone()
    total = sum(row[2] for row in rows) or 1.0
    statements = tuple(
        StatementStatistics(text, calls, spent, longest, returned, spent / total)
        for text, calls, spent, longest, returned in rows
    )
    return Traffic(statements, since[0] if since else None)
