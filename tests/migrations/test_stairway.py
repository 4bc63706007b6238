"""Every revision can be applied, undone without a trace, and applied again.

pytest-alembic's `test_up_down_consistency` compares nothing, and its `test_downgrade_leaves_no_trace` runs inside a
transaction, where CREATE INDEX CONCURRENTLY cannot. Here every step is committed, and the whole catalog is compared:
CHECKs, enums, functions, triggers, grants and comments too.
"""

from __future__ import annotations

from collections.abc import Callable

from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from pytest_alembic.runner import MigrationContext

from harness.config import Config
from harness.databases.databases import Database
from harness.findings import Verdict
from harness.migrations.stairway import stairway


def test_every_step_back_restores_exactly_what_was_there(
    alembic_runner: MigrationContext,
    alembic_config: AlembicConfig,
    empty_database: Database,
    harness_config: Config,
    judge: Callable[..., Verdict],
) -> None:
    """Up, down, up for each revision in turn, without rows; what a revision exempts in its file is accepted."""
    scripts = ScriptDirectory.from_config(alembic_config)
    judge("migrations", stairway(alembic_runner, scripts, empty_database, harness_config.root))
