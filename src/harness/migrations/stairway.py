"""Each revision applied, undone and applied again on a database without rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from alembic.script import Script, ScriptDirectory
from pytest_alembic.runner import MigrationContext

from harness.catalog import Snapshot, difference, read_snapshot
from harness.databases.databases import Database
from harness.findings import Finding, relative
from harness.migrations.files.exemptions import read_exemptions
from harness.migrations.inspection import downgrade_result
from harness.migrations.rules.data import downgrade_missing, downgrade_not_symmetric
from harness.migrations.tracing.evidence import Trace
from harness.migrations.tracing.observations import DowngradeResult, Observations
from harness.migrations.tracing.trace import said_at


def stairway(runner: MigrationContext, scripts: ScriptDirectory, database: Database, root: Path) -> list[Finding]:
    """Return what the first revision breaks whose downgrade does not restore the schema that was there before.

    Every step is committed, and the whole catalog is compared. A revision that is exempt from downgrade-missing is only
    applied, and what its file exempts is left out. The findings are those that the judge of revisions has with rows.
    """
    for script in reversed(list(scripts.walk_revisions())):
        before = _snapshot(database)
        runner.migrate_up_to(script.revision)
        exempt = {(item.rule, item.object) for item in read_exemptions(Path(script.path))}
        if (downgrade_missing.id, script.revision) in exempt:
            continue
        found = [
            replace(finding, revision=script.revision, file=relative(Path(script.path), root))
            for finding in _step_back(runner, script, database, before)
            if (finding.rule.id, finding.object) not in exempt
        ]
        if found:
            return found
    return []


def _step_back(runner: MigrationContext, script: Script, database: Database, before: Snapshot) -> Iterator[Finding]:
    after = _snapshot(database)
    if error := _error(runner.migrate_down_one, script):
        result = DowngradeResult(tried=True, error=error)
    else:
        result = downgrade_result(before, after, _snapshot(database))
    seen = Observations(Trace(script.revision, 0, (), ()), before, after, downgrade_result=result)
    if found := [*downgrade_missing(seen), *downgrade_not_symmetric(seen)]:
        yield from found
    elif error := _error(runner.migrate_up_one, script):
        yield Finding(downgrade_not_symmetric.rule, script.revision, f"upgrade() fails after downgrade(): {error}")
    else:
        for change in difference(after, _snapshot(database)):
            message = f"after upgrade, downgrade and upgrade: {change}"
            yield Finding(downgrade_not_symmetric.rule, change.name, message)


def _error(step: Callable[[], object], script: Script) -> str:
    """Run a step, and return the first line of its error with its place; "" if there is none."""
    try:
        step()
    except Exception as error:
        return said_at(error, Path(script.path))
    return ""


def _snapshot(database: Database) -> Snapshot:
    with database.connect() as connection:
        return read_snapshot(connection)
