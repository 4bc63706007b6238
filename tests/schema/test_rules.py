"""The schema at head is judged by every rule, one test each, so that CI names the broken one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import harness.schema.rules  # noqa: F401 - registers the rules
from harness.catalog import Snapshot
from harness.config import load_config
from harness.findings import Verdict
from harness.rules import Check, catalogue
from harness.rules_command import every_rule
from harness.schema.options import chosen, read_options

CONFIG = load_config(Path(__file__).parents[2])
OPTIONS = read_options(CONFIG.schema)

# The team's own rules are here, written as docs/schema.md shows; each becomes a test below.


@pytest.mark.parametrize("rule", chosen(OPTIONS), ids=lambda rule: rule.id)
def test_rule(rule: Check[Snapshot], catalog: Snapshot, judge: Callable[..., Verdict]) -> None:
    """No object of the schema breaks the rule, but for those that [tool.harness] exempts with a reason."""
    judge("schema", rule(catalog, OPTIONS), [item for item in CONFIG.exemptions if item.rule == rule.id])


def test_every_exempted_schema_rule_runs(judge: Callable[..., Verdict]) -> None:
    """An exemption of a rule that is off, or that does not exist, would never be noticed as stale."""
    every = {rule.id for rule in (*every_rule(), *catalogue("schema"))}
    off = {rule.id for rule in catalogue("schema", "catalogue")} - {rule.id for rule in chosen(OPTIONS)}
    judge("schema", [], [item for item in CONFIG.exemptions if item.rule in off or item.rule not in every])
