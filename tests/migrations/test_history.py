"""The history has one head, begins with tables, brings its extensions, and is what autogenerate goes on from."""

from __future__ import annotations

from collections.abc import Callable

import alembic.command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from pytest_alembic.runner import MigrationContext
from pytest_alembic.tests import test_single_head_revision

from harness.catalog import Snapshot, read_snapshot
from harness.config import Config, load_object
from harness.databases.databases import Database
from harness.findings import Verdict
from harness.migrations.model_drift import model_drift
from harness.schema.drift.drift import declared
from sealy.db.head import REVISIONS

__all__ = ["test_single_head_revision"]


def test_the_first_revision_creates_tables(alembic_runner: MigrationContext, empty_database: Database) -> None:
    """An empty first revision would mean that the schema comes from elsewhere, where no test sees it."""
    alembic_runner.migrate_up_one()
    with empty_database.connect() as connection:
        tables = {table.name for table in read_snapshot(connection).tables}
    assert tables


def test_the_migrations_bring_the_extensions_they_need(
    alembic_runner: MigrationContext, empty_database: Database
) -> None:
    """The migrator installs citext into a database that has nothing; nobody prepares it by hand."""

    def extensions() -> set[str]:
        with empty_database.connect() as connection:
            return {extension.name for extension in read_snapshot(connection).extensions}

    assert extensions() == {"plpgsql"}
    alembic_runner.migrate_up_to("heads")
    assert extensions() == {"plpgsql", "citext"}
    alembic_runner.migrate_down_to("base")
    assert extensions() == {"plpgsql"}


def test_autogenerate_sees_every_model_and_has_nothing_to_write(
    alembic_config: AlembicConfig,
    empty_database: Database,
    catalog: Snapshot,
    harness_config: Config,
    judge: Callable[..., Verdict],
) -> None:
    """On the tables that the models make; tests/schema/test_drift.py compares those with what the revisions make."""
    engine, metadata = empty_database.engine, load_object(harness_config.metadata)
    declared(metadata, engine, [item.name for item in catalog.extensions])
    alembic_config.attributes["connection"] = engine
    alembic.command.stamp(alembic_config, "head")
    judge("migrations", model_drift(engine, alembic_config, harness_config.metadata))


def test_the_app_waits_for_the_newest_revision(alembic_config: AlembicConfig) -> None:
    """The app never imports Alembic, so head.py lists the revisions, and the list must keep up."""
    scripts = ScriptDirectory.from_config(alembic_config).walk_revisions()
    assert [script.revision for script in scripts] == [*reversed(REVISIONS)]
