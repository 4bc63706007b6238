"""Each revision, run on seeded rows and watched, does no harm in production."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import harness.schema.rules  # noqa: F401 - registers the rules
from harness.catalog import Snapshot
from harness.config import Config
from harness.findings import Finding, Verdict
from harness.migrations.fixtures import judge_revision, migration_judge, pytest_generate_tests
from harness.schema.options import read_options
from harness.schema.registry import findings

__all__ = ["judge_revision", "migration_judge", "pytest_generate_tests"]


@pytest.fixture(scope="session")
def migration_schema_rules(harness_config: Config) -> Callable[[Snapshot], list[Finding]]:
    """The schema rules judge what a revision makes."""
    options = read_options(harness_config.schema)
    return lambda snapshot: findings(snapshot, options)


def test_a_revision_does_no_harm(judge_revision: Callable[[], Verdict]) -> None:
    """No lock that stops production, no failure that waits for its rows, no old release broken, no value lost."""
    judge_revision()
