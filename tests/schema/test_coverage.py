"""Indexes serve what the models load and what the application sends."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from harness.catalog import Snapshot
from harness.config import Config, load_object
from harness.databases.databases import Database
from harness.findings import Verdict
from harness.schema.access.plans import RouteStatement
from harness.schema.access.relationships import mapped, relationship_without_index
from harness.schema.access.unindexed import needless_join, query_without_index, unindexed

RECORDED = Path(__file__).with_name("statements.json")


def test_every_relationship_loads_by_an_index(
    catalog: Snapshot, harness_config: Config, judge: Callable[..., Verdict]
) -> None:
    """From both ends and through `secondary`, whatever queries there are so far."""
    module = import_module(harness_config.metadata.partition(":")[0])
    found = relationship_without_index(mapped(module, load_object(harness_config.metadata)), catalog)
    exemptions = [item for item in harness_config.exemptions if item.rule == relationship_without_index.id]
    judge("schema", found, exemptions)


@pytest.mark.parametrize("rule", [query_without_index.id, needless_join.id])
def test_statements_of_the_application(
    rule: str, database: Database, catalog: Snapshot, judge: Callable[..., Verdict]
) -> None:
    """Planned for any values, as the role that sends them, they read no whole table and join no needless one.

    These are the statements of each route in statements.json, which the API suite keeps complete. That suite sends
    others too, so it judges whether an exemption is needed.
    """
    recorded = json.loads(RECORDED.read_text("utf-8"))
    statements = [RouteStatement(item["text"], routes=tuple(item["routes"])) for item in recorded]
    with database.as_role("app").connect() as connection:
        found = unindexed(connection, catalog, statements)
    judge("schema", [finding for finding in found if finding.rule.id == rule])
