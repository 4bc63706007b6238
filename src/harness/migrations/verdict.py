"""The verdict on one revision, the same at the command line and in pytest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from alembic.script import Script

import harness.migrations.rules  # noqa: F401 - registers the rules
from harness.findings import Finding, Verdict, relative
from harness.migrations.files.exemptions import read_exemptions
from harness.migrations.files.source import read_source, renders_offline
from harness.migrations.project import Project
from harness.migrations.result import RevisionResult
from harness.rules import catalogue, judge


def judge_revision(project: Project, script: Script, result: RevisionResult) -> Verdict:
    """Return what a revision breaks, by its trace and by its file, with the exemptions of the file and the project.

    Those of the file must be needed, unless the revision has not run to its end.
    """
    path = Path(script.path)
    offline = renders_offline(Path(project.history.script.dir) / "env.py")
    found = [*result.findings, *file_findings(path, project.package, offline=offline)]
    file, config = relative(path, project.history.root), project.config
    findings = [replace(item, revision=script.revision, file=file) for item in found]
    accepted, strict = (config.exemptions, config.strict) if config else ((), False)
    stated = read_exemptions(path)
    if result.complete:
        return judge(findings, stated, accepted, strict=strict)
    return judge(findings, (), [*accepted, *stated], strict=strict)


def file_findings(path: Path, package: str, *, offline: bool = False) -> list[Finding]:
    """Return what the rules over a revision's file find.

    `package` is the app's top-level package, empty when the project has none; `offline` says whether the project's
    env.py renders SQL (`source.renders_offline`).

    Raises:
        HarnessError: when the file cannot be read or is not Python.
    """
    source = read_source(path, package, offline=offline)
    return [finding for check in catalogue("migrations", "file") for finding in check(source)]
