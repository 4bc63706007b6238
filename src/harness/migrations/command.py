"""`python -m harness migrations`: the hazards of any Alembic project's revisions, on a throw-away server."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from alembic.script import Script

from harness.errors import HarnessError
from harness.findings import Finding, Verdict
from harness.migrations.judge import SchemaRules
from harness.migrations.project import find_project, judging, take_server
from harness.migrations.result import COLUMNS, RevisionResult
from harness.migrations.verdict import judge_revision
from harness.report.report import ReportTable, as_json
from harness.wording import plural

ROWS = 50
"""Rows that each table is given."""

MOST_ROWS = 1_000_000
"""More rows find nothing more, and take hours."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options."""
    parser = subparsers.add_parser(
        "migrations",
        help="judge the revisions of any Alembic project",
        description="Run each revision on seeded rows on a temporary server, watch it, and name what would do harm in "
        'production. env.py must take config.attributes["connection"], or else sqlalchemy.url.',
        epilog="Exit codes: 0 clean, 1 findings, 2 the work could not be done.",
    )
    parser.add_argument("revisions", nargs="?", metavar="REV | REV:REV", help="judge only these; all by default")
    parser.add_argument("--config", type=Path, metavar="FILE", help="alembic.ini or pyproject.toml of the project")
    parser.add_argument("--postgresql-exec", metavar="PATH", help="a pg_ctl or postgres to take")
    parser.add_argument("--pg", type=int, metavar="N", help="the Postgres major to take")
    parser.add_argument("--rows", type=int, default=ROWS, metavar="N", help=f"rows of each table ({ROWS})")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge the revisions and print what was found.

    `args.schema_rules`, where given, makes the rules that judge what they make, from the options of the project.

    Raises:
        HarnessError: for no project, no such revision, no server.
    """
    if args.rows < 2:
        problem = f"--rows {args.rows}: fewer than 2 rows do not show whether a table is scanned"
        raise HarnessError(problem, remedy="give 2 or more")
    if args.rows > MOST_ROWS:
        problem = f"--rows {args.rows}: each revision runs on several clones with all these rows"
        raise HarnessError(problem, remedy=f"give {MOST_ROWS} at most")
    project = find_project(args.config)
    chosen = project.history.chosen(args.revisions)
    installation = take_server(project, args.pg, args.postgresql_exec)
    made: Callable[[Mapping[str, Any]], SchemaRules] | None = getattr(args, "schema_rules", None)
    schema_rules = made(project.config.schema if project.config else {}) if made else None
    with contextlib.redirect_stdout(sys.stderr), judging(project, installation, args.rows, schema_rules) as judge_one:
        judged = [_reported(script, judge_one.judge) for script in chosen]
    verdicts = [judge_revision(project, script, result) for script, result in zip(chosen, judged, strict=True)]
    verdict = sum(verdicts, Verdict())
    if args.json:
        _print_json(installation.version, verdict, judged)
    else:
        _print_text(installation.version, verdict, judged)
    return 0 if verdict.clean else 1


def _reported(script: Script, judge_one: Callable[[Script], RevisionResult]) -> RevisionResult:
    """Judge one revision, and say on stderr how far we are."""
    start = time.perf_counter()
    judged = judge_one(script)
    how = "unchanged, not traced again" if judged.cached else f"{time.perf_counter() - start:.2f} s"
    sys.stderr.write(f"{script.revision}: {how}\n")
    return judged


def _print_json(version: str, verdict: Verdict, judged: Iterable[RevisionResult]) -> None:
    revisions: list[dict[str, Any]] = [
        {
            "revision": item.revision,
            "statements": list(item.statements),
            "downgrade": item.downgrade,
            "cached": item.cached,
        }
        for item in judged
    ]
    findings = [_as_json(item) for item in (*verdict.failing, *verdict.shown)]
    document = {"postgres": version, "findings": findings, "revisions": revisions}
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _as_json(finding: Finding) -> dict[str, Any]:
    """A finding with `revision` and `statement` in every case."""
    return {**as_json(finding), "revision": finding.revision, "statement": finding.statement}


def _print_text(version: str, verdict: Verdict, judged: list[RevisionResult]) -> None:
    for finding in (*verdict.failing, *verdict.shown):
        sys.stdout.write(f"{finding.text}\n\n")
    for finding, exemption in verdict.exempted:
        sys.stdout.write(f"exempted: {finding.rule.id}: {finding.object} ({exemption.reason})\n")
    sys.stdout.write(ReportTable("Migrations", COLUMNS, [item.row for item in judged]).plain() + "\n")
    sys.stdout.write(
        f"\n{plural(len(judged), 'revision')} on PostgreSQL {version}: "
        f"{plural(len(verdict.failing), 'failing finding')}, "
        f"{len(verdict.shown)} shown, {len(verdict.exempted)} exempted\n"
    )
