"""README.md shows what is printed, and is short."""

from __future__ import annotations

import harness.schema.rules  # noqa: F401 - registers the rules
from harness.databases.databases import Database
from harness.rules import catalogue
from harness.schema.options import Options, chosen
from tests.harness.schema.test_pasted import REFERENCE, found
from tests.template.clones import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_first_example_is_the_current_finding(empty_database: Database) -> None:
    """Every line is the same, including the fix that users paste."""
    finding = found(empty_database, REFERENCE)
    assert f"```text\n{finding}\n```" in README


def test_a_newcomer_can_read_it_in_a_minute() -> None:
    """It has at most 110 lines."""
    assert len(README.splitlines()) <= 110


def test_it_counts_the_schema_rules() -> None:
    """A rule that is added or removed changes the numbers of README.md and of its picture."""
    shipped = [rule for rule in catalogue("schema", "catalogue") if rule.find.__module__.startswith("harness.")]
    counts = f"{len(shipped)} rules over the system catalog, {len(chosen(Options()))} of them on by default"
    assert counts in README
    assert f">{len(shipped)} rules<" in (ROOT / "docs" / "overview.svg").read_text(encoding="utf-8")
