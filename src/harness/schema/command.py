"""`python -m harness schema DSN`: the schema rules on any database, read-only, without a project around it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

import harness.schema.rules  # noqa: F401 - registers the rules
from harness.catalog import Snapshot, prove_read_only, read_snapshot
from harness.errors import HarnessError
from harness.findings import Finding, Verdict
from harness.postgres.address import invalid_dsn, unreadable
from harness.report.report import as_json
from harness.rules import catalogue, judge
from harness.schema.exemptions import read_exemptions, todo
from harness.schema.options import Options, chosen, findings
from harness.wording import plural

CONNECT_TIMEOUT = 10
"""Seconds until an address counts as one where no server answers."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options."""
    parser = subparsers.add_parser(
        "schema",
        help="judge the schema of any database, read-only",
        description="Judge the schema of any PostgreSQL database from 14 on, in one READ ONLY transaction. "
        "Nothing is created, no superuser is needed, and no pyproject.toml is read.",
        epilog="Exit codes: 0 clean, 1 findings, 2 the work could not be done.",
    )
    parser.add_argument("dsn", metavar="DSN", help="postgresql://user@host/database, or libpq's key=value form")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")
    parser.add_argument("--rules", metavar="A,B", default="", help="only these rules, optional ones too")
    parser.add_argument("--exempt", metavar="FILE", type=Path, help="TOML file with the accepted findings")
    parser.add_argument("--strict", action="store_true", help="warnings fail too")
    parser.add_argument("--todo", action="store_true", help="print such a file for all that is found today")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge the database and print what was found.

    Raises:
        HarnessError: for an address where nothing answers, a server below 14, unknown rules, an unreadable file.
    """
    if args.json and args.todo:
        raise HarnessError("--todo prints TOML and --json prints JSON", remedy="ask for one of the two")
    only = [name for name in args.rules.replace(",", " ").split() if name]
    rules = chosen(Options(), only)
    off = {rule.id for rule in catalogue()} - {rule.id for rule in rules}
    exemptions = [item for item in read_exemptions(args.exempt) if item.rule not in off] if args.exempt else []
    snapshot = _read(args.dsn)
    if snapshot.can_write:
        _say(f"note: nothing was written, though {snapshot.role} may; a role that may only connect sees the same")
    verdict = judge(findings(snapshot, Options(), only), exemptions, strict=args.strict)
    if args.todo:
        return _print_todo(verdict)
    _print_json(snapshot, verdict) if args.json else _print_text(snapshot, verdict, len(rules))
    return 0 if verdict.clean else 1


def _read(dsn: str) -> Snapshot:
    """The snapshot of the database at `dsn`, after the proof that the transaction refuses writes."""
    try:
        conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        raise invalid_dsn() from None
    try:
        with psycopg.connect(
            dsn,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT,
            client_encoding="utf8",
            fallback_application_name="harness schema",
        ) as connection:
            prove_read_only(connection)
            return read_snapshot(connection)
    except psycopg.Error as error:
        raise unreadable(error) from error


def _ordered(verdict: Verdict) -> list[Finding]:
    """Return every finding to show: errors, then the rest, each by rule."""
    ranks = {"error": 0, "warning": 1, "info": 2}
    shown = [*verdict.failing, *verdict.shown]
    return sorted(shown, key=lambda item: (ranks[item.severity], item.rule.id, item.object))


def _print_json(snapshot: Snapshot, verdict: Verdict) -> None:
    document = {"postgres": _version(snapshot), "findings": [as_json(finding) for finding in _ordered(verdict)]}
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _print_text(snapshot: Snapshot, verdict: Verdict, rules: int) -> None:
    found = _ordered(verdict)
    for finding in found:
        sys.stdout.write(f"{finding}\n\n")
    for finding, exemption in verdict.exempted:
        sys.stdout.write(f"exempted: {finding.rule.id}: {finding.object} ({exemption.reason})\n")
    errors = sum(finding.severity == "error" for finding in found)
    sys.stdout.write(
        f"{snapshot.database} on PostgreSQL {_version(snapshot)}: "
        f"{plural(len(snapshot.roots), 'table')}, {plural(rules, 'rule')}, "
        f"{plural(errors, 'error')}, {plural(len(found) - errors, 'warning')}, {len(verdict.exempted)} exempted\n"
    )


def _print_todo(verdict: Verdict) -> int:
    text, refused = todo(verdict)
    sys.stdout.write(text)
    for finding in refused:
        _say(f"warning: {finding.rule.id} for {finding.object}: rename it: an exemption takes no *, % or ?")
    return 0


def _version(snapshot: Snapshot) -> str:
    return f"{snapshot.major}.{snapshot.version % 10000}"


def _say(line: str) -> None:
    """A line on stderr."""
    sys.stderr.write(f"{line}\n")
