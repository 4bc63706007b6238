"""README.md shows what is printed."""

from __future__ import annotations

from harness.databases.databases import Database
from tests.harness.schema.test_pasted import REFERENCE, found
from tests.template.clones import ROOT


def test_the_first_example_is_the_finding_of_today(empty_database: Database) -> None:
    """Each line, the fix among them, whose text is to be pasted."""
    finding = found(empty_database, REFERENCE)
    assert f"```text\n{finding}\n```" in (ROOT / "README.md").read_text(encoding="utf-8")
