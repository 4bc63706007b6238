"""The models and the migrations make the same schema."""

from __future__ import annotations

from collections.abc import Callable

from harness.catalog import Snapshot
from harness.config import Config, load_object
from harness.databases.databases import Database
from harness.findings import Verdict
from harness.schema.drift.drift import declared, schema_drift


def test_models_declare_what_migrations_make(
    empty_database: Database, catalog: Snapshot, harness_config: Config, judge: Callable[..., Verdict]
) -> None:
    """create_all() and upgrade head end in the same catalogue, but for what [tool.harness] exempts with a reason."""
    metadata = load_object(harness_config.metadata)
    models = declared(metadata, empty_database.engine, [item.name for item in catalog.extensions])
    exemptions = [item for item in harness_config.exemptions if item.rule == schema_drift.id]
    judge("schema", schema_drift(metadata, models, catalog), exemptions)
