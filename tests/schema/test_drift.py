"""The models and the migrations: one schema, told twice."""

from __future__ import annotations

from harness.catalog import Snapshot
from harness.config import Config, load_object
from harness.postgres.databases import Database
from harness.schema.drift import DRIFT, declared, drift
from harness.session import Session


def test_models_declare_what_migrations_make(
    empty_database: Database, catalog: Snapshot, harness_config: Config, harness_session: Session
) -> None:
    """create_all() and upgrade head end in the same catalogue, but for what [tool.harness] exempts with a reason."""
    metadata = load_object(harness_config.metadata)
    models = declared(metadata, empty_database.engine, [item.name for item in catalog.extensions])
    exemptions = [item for item in harness_config.exemptions if item.rule == DRIFT.id]
    found = drift(models, catalog, metadata)
    verdict = harness_session.report.judge("schema", found, exemptions, strict=harness_config.strict)
    assert verdict.clean, f"\n{verdict}"
