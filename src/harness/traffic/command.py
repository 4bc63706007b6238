"""`python -m harness traffic DSN`: the most frequent and the slowest statements of a database, read-only."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from typing import Any

import psycopg

from harness.postgres.address import invalid_dsn, unreadable
from harness.report.report import ReportTable
from harness.traffic.access import Access, access
from harness.traffic.reading import StatementStatistics, Traffic, read
from harness.wording import plural

CONNECT_TIMEOUT = 10
"""Seconds to wait for the server."""

COLUMNS = ("calls", "share", "mean ms", "longest ms", "rows a call", "endpoint", "index use", "statement")
WIDTH = 100
"""Characters of a statement in a table."""

_SELECT_LIST = re.compile(r"^(select) .+? (from)\b", re.IGNORECASE)
_COMMENT = re.compile(r"\s*/\*[^*]*\*/\s*$")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options."""
    parser = subparsers.add_parser(
        "traffic",
        help="list the most frequent and the slowest statements of a database, read-only",
        description="List what pg_stat_statements has counted, with the endpoint in each statement's comment and the "
        "indexes of its generic plan. Only reads are executed.",
    )
    parser.add_argument("dsn", metavar="DSN", help="postgresql://user@host/database, or libpq's key=value form")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")
    parser.add_argument("--limit", type=int, default=10, metavar="N", help="statements in each list (10)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the two lists.

    Raises:
        HarnessError: when the server does not answer, or the extension or a right is missing.
    """
    try:
        with psycopg.connect(
            args.dsn,
            connect_timeout=CONNECT_TIMEOUT,
            client_encoding="utf8",
            fallback_application_name="harness traffic",
        ) as connection:
            connection.read_only = True
            with connection.cursor() as cursor:
                traffic = read(cursor)
                lists = {"frequent": traffic.frequent(args.limit), "slowest": traffic.slowest(args.limit)}
                found = {item: access(cursor, item.text) for items in lists.values() for item in items}
    except psycopg.ProgrammingError as error:
        if error.sqlstate is None:  # libpq's message repeats the DSN, which may hold a password
            raise invalid_dsn() from None
        raise unreadable(error) from error
    except psycopg.Error as error:
        raise unreadable(error) from error
    write = _write_json if args.json else _write_text
    write(traffic, lists, found)
    return 0


def _write_json(
    traffic: Traffic, lists: dict[str, list[StatementStatistics]], found: dict[StatementStatistics, Access]
) -> None:
    document: dict[str, Any] = {"since": traffic.since.isoformat() if traffic.since else None}
    for name, items in lists.items():
        document[name] = [_as_json(item, found[item]) for item in items]
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _as_json(item: StatementStatistics, how: Access) -> dict[str, Any]:
    return {
        "calls": item.calls,
        "share": round(item.share, 4),
        "mean_ms": round(item.mean, 3),
        "longest_ms": round(item.longest, 3),
        "rows": item.rows,
        "endpoint": item.route or None,
        "indexes": list(how.indexes),
        "scans": list(how.scans),
        "no_plan": how.unknown or None,
        "statement": item.text,
    }


def _write_text(
    traffic: Traffic, lists: dict[str, list[StatementStatistics]], found: dict[StatementStatistics, Access]
) -> None:
    since = f"{traffic.since:%Y-%m-%d %H:%M} UTC" if traffic.since else "an unknown time"
    for title, items in (("Most frequent", lists["frequent"]), ("Slowest", lists["slowest"])):
        table = ReportTable(title, COLUMNS, [_cells(item, found[item]) for item in items])
        sys.stdout.write(
            f"{title} of {plural(len(traffic.statements), 'statement')} since {since}\n{table.plain()}\n\n"
        )


def _cells(item: StatementStatistics, how: Access) -> tuple[str, ...]:
    cells: Sequence[str] = (
        f"{item.calls:,}",
        f"{item.share:.1%}",
        f"{item.mean:.2f}",
        f"{item.longest:.1f}",
        f"{item.rows / max(item.calls, 1):.1f}",
        item.route or "-",
        str(how),
        _shorten(item.text),
    )
    return tuple(cells)


def _shorten(text: str) -> str:
    """Return a statement on one line, without the endpoint's comment and the columns."""
    line = _SELECT_LIST.sub(r"\1 … \2", " ".join(_COMMENT.sub("", text).split()), count=1)
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"
