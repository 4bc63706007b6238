"""docs/migrations.md lists every rule."""

from __future__ import annotations

from pathlib import Path

import harness.migrations.rules  # noqa: F401 - registers the rules
from harness.rules import catalogue

PAGE = Path(__file__).parents[3] / "docs" / "migrations.md"


def test_every_rule_is_documented_word_for_word() -> None:
    """Id, severity, promise and reason, word for word, each once."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rules = [check.rule for check in catalogue("migrations", "trace", "history")]
    rows = [f"| `{item.id}` | {item.severity} | {item.title} | {item.why} |" for item in rules]
    assert [row for row in rows if lines.count(row) != 1] == []
    assert [line for line in lines if line.startswith("| `") and line not in rows] == []
