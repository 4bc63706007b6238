"""docs/writing-a-rule.md, followed from top to bottom: its code written, its tests run."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from tests.template.clones import ROOT, copy, passes

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "writing-a-rule.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code of the page in one language."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
    return [dedent(code) for _, code in found]


def test_the_rule_of_a_project_finds_what_the_page_says(tmp_path: Path) -> None:
    """Pasted where the page says, the rule passes on the sample, and its two examples pass."""
    place = copy(tmp_path)
    path = place / "tests" / "schema" / "test_rules.py"
    rule, examples, *_ = blocks("python")
    above, decorator, test_rule = path.read_text(encoding="utf-8").partition('@pytest.mark.parametrize("rule"')
    path.write_text(f"{above}{rule}\n\n{decorator}{test_rule}\n\n{examples}", encoding="utf-8")
    [selection] = re.findall(r'run.py schema -k "(.+)"', PAGE)
    assert "3 passed" in passes(place, "pytest", "tests/schema", "-k", selection)


def test_the_failure_on_the_page_is_what_is_printed(tmp_path: Path) -> None:
    """The message of the project's rule, with the fix."""
    place = copy(tmp_path)
    script = """
from dataclasses import dataclass
from harness.catalog import Snapshot
RULE
@dataclass
class Column:
    name: str = "archived"
    base: str = "timestamptz"
    type: str = "timestamp with time zone"
@dataclass
class Table:
    qualified: str = "public.orders"
    columns: tuple = (Column(),)
@dataclass
class Schema:
    roots: tuple = (Table(),)
print(*(finding.text for finding in time_without_at(Schema())))
"""
    (place / "say.py").write_text(script.replace("RULE", blocks("python")[0]), encoding="utf-8")
    assert passes(place, "say") in blocks("text")


def test_the_rule_of_the_harness_passes_its_examples(tmp_path: Path) -> None:
    """Appended to the files that the page names, the rule finds its first example and not its second."""
    place = copy(tmp_path)
    added = {"src/harness/schema/rules/tables.py": blocks("python")[2]}
    added["src/harness/schema/rules/examples/tables.sql"] = blocks("sql")[0]
    for name, code in added.items():
        with (place / name).open("a", encoding="utf-8") as file:
            file.write(f"\n\n{code}" if name.endswith(".py") else code)
    passes(place, "ruff", "check", "src/harness/schema/rules/tables.py")
    assert " passed" in passes(place, "pytest", "tests/harness/schema", "-k", "autovacuum-disabled")
