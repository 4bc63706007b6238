"""Every revision can be applied, undone without a trace, and applied again.

pytest-alembic's `test_up_down_consistency` compares nothing, and its `test_downgrade_leaves_no_trace` runs inside a
transaction, where CREATE INDEX CONCURRENTLY cannot. Here every step is committed, and the whole catalog is compared:
CHECKs, enums, functions, triggers, grants and comments too.
"""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from pytest_alembic.runner import MigrationContext

from harness.catalog import Snapshot, difference, read_snapshot
from harness.databases.databases import Database
from harness.migrations.files.exemptions import read_exemptions

BOOKKEEPING = "public.alembic_version"
"""Alembic's own table, which stays after the last downgrade."""


def test_every_step_back_restores_exactly_what_was_there(
    alembic_runner: MigrationContext, alembic_config: AlembicConfig, empty_database: Database
) -> None:
    """Up, down, up for each revision in turn; a failure names the revision and what its downgrade left or lost.

    A revision with an exemption from downgrade-missing is only walked up.
    """
    for script in reversed(list(ScriptDirectory.from_config(alembic_config).walk_revisions())):
        before = _snapshot(empty_database)
        alembic_runner.migrate_up_to(script.revision)
        if any(item.rule == "downgrade-missing" for item in read_exemptions(Path(script.path))):
            continue
        after = _snapshot(empty_database)
        alembic_runner.migrate_down_one()
        _assert_same(before, _snapshot(empty_database), f"the downgrade of {script.revision} does not restore")
        alembic_runner.migrate_up_one()
        _assert_same(after, _snapshot(empty_database), f"the second upgrade to {script.revision} does not repeat")


def _snapshot(database: Database) -> Snapshot:
    with database.connect() as connection:
        return read_snapshot(connection)


def _assert_same(expected: Snapshot, found: Snapshot, problem: str) -> None:
    """No difference but Alembic's own table."""
    changes = [str(change) for change in difference(expected, found) if not change.name.startswith(BOOKKEEPING)]
    assert not changes, "\n  ".join([problem + ":", *changes])
