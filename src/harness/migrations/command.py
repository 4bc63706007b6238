"""`python -m harness migrations`: the hazards of any Alembic project's revisions, on a throw-away server."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from alembic.script import Script

from harness.catalog import Snapshot
from harness.errors import HarnessError
from harness.findings import Exemption, Finding, Rule, Verdict, judge
from harness.migrations.files.exemptions import read_exemptions
from harness.migrations.files.source import renders_offline
from harness.migrations.judge import ELSEWHERE, misspelt
from harness.migrations.project import Project, find_project, judging, take_server
from harness.migrations.result import COLUMNS, RevisionResult
from harness.migrations.rules.of_files import CHECKS, read_revision
from harness.report.report import ReportTable, as_json

ROWS = 50
"""Rows that each table is given."""

MOST_ROWS = 1_000_000
"""More than that hide nothing that fewer show, and take hours."""

STALE = Rule(
    "stale-exemption",
    "error",
    "Every exemption covers a finding",
    "a list of exemptions that grows beyond what is true hides the next mistake",
    "remove it from `hazards`",
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options."""
    parser = subparsers.add_parser(
        "migrations",
        help="judge the revisions of any Alembic project",
        description="Run each revision on seeded rows on a server of its own, watch it, and name what would hurt in "
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
    """Judge the revisions and print what was found; `args.schema_rules` judge what they make, where given.

    Raises:
        HarnessError: for no project, no such revision, no server.
    """
    if args.rows < 2:
        raise HarnessError(f"--rows {args.rows}: a scan cannot be told from a look-up with fewer than 2 rows")
    if args.rows > MOST_ROWS:
        raise HarnessError(f"--rows {args.rows}: each revision runs on copies of all rows, so {MOST_ROWS} are the most")
    project = find_project(args.config)
    chosen = project.history.chosen(args.revisions)
    installation = take_server(project, args.pg, args.postgresql_exec)
    schema_rules: Callable[[Snapshot], Iterable[Finding]] | None = getattr(args, "schema_rules", None)
    with contextlib.redirect_stdout(sys.stderr), judging(project, installation, args.rows, schema_rules) as judge_one:
        judged = [_told(script, judge_one.judge) for script in chosen]
    verdict = judge_all(project, list(zip(chosen, judged, strict=True)))
    shown = (*verdict.failing, *map(_stale, verdict.stale), *verdict.shown)
    if args.json:
        _print_json(installation.version, shown, judged)
    else:
        _print_text(installation.version, shown, verdict, judged)
    return 0 if verdict.clean else 1


def judge_all(project: Project, judged: list[tuple[Script, RevisionResult]]) -> Verdict:
    """One verdict over the traces and the files of these revisions, with the exemptions that the files state."""
    findings: list[Finding] = []
    exemptions: list[Exemption] = []
    offline = renders_offline(Path(project.history.script.dir) / "env.py")
    for script, one in judged:
        path = Path(script.path)
        findings += [*one.findings, *read_revision(path, project.package, offline=offline)]
        read = {rule.id for rule in CHECKS}
        exemptions += [item for item in read_exemptions(path) if item.rule in read or item.rule not in ELSEWHERE]
    accepted = {(item.rule, item.object) for item in project.config.exemptions} if project.config else set()
    findings = [item for item in findings if (item.rule.id, item.object) not in accepted]
    return judge(findings, exemptions, strict=project.config.strict if project.config else False)


def _told(script: Script, judge_one: Callable[[Script], RevisionResult]) -> RevisionResult:
    """Judge one revision, and say on stderr how far we are."""
    start = time.perf_counter()
    judged = judge_one(script)
    how = "unchanged, not traced again" if judged.cached else f"{time.perf_counter() - start:.2f} s"
    sys.stderr.write(f"{script.revision}: {how}\n")
    return judged


def _stale(item: Exemption) -> Finding:
    message = misspelt(item) or "nothing breaks this rule there"
    return Finding(STALE, f"{item.rule}:{item.object}", f"{message} ({item.reason})")


def _print_json(version: str, shown: Iterable[Finding], judged: Iterable[RevisionResult]) -> None:
    revisions: list[dict[str, Any]] = [
        {
            "revision": item.revision,
            "statements": list(item.statements),
            "downgrade": item.downgrade,
            "cached": item.cached,
        }
        for item in judged
    ]
    document = {"postgres": version, "findings": [_as_json(item) for item in shown], "revisions": revisions}
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _as_json(finding: Finding) -> dict[str, Any]:
    """A finding with `revision` and `statement` in every case."""
    return {**as_json(finding), "revision": finding.revision, "statement": finding.statement}


def _print_text(version: str, shown: Iterable[Finding], verdict: Verdict, judged: list[RevisionResult]) -> None:
    for finding in shown:
        where = f" in {finding.revision}" if finding.revision else ""
        sys.stdout.write(f"{finding.severity}{where}: {finding}\n\n")
    for finding, exemption in verdict.exempted:
        sys.stdout.write(f"exempted: {finding.rule.id}: {finding.object} ({exemption.reason})\n")
    sys.stdout.write(ReportTable("Migrations", COLUMNS, [item.row for item in judged]).plain() + "\n")
    failing = len(verdict.failing) + len(verdict.stale)
    sys.stdout.write(
        f"\n{len(judged)} revisions on PostgreSQL {version}: {failing} findings that fail, {len(verdict.shown)} shown, "
        f"{len(verdict.exempted)} exempted\n"
    )
