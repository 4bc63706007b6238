"""The tables of rules in the documentation are what the catalogue says."""

from __future__ import annotations

import re

import pytest

from harness.rules_command import every_rule
from tools.rule_tables import DOCS, SUITES, page


@pytest.mark.parametrize("suite", SUITES)
def test_a_page_has_the_tables_of_the_catalogue(suite: str) -> None:
    """Word for word; `python -m tools.rule_tables` writes them."""
    text = (DOCS / f"{suite}.md").read_text(encoding="utf-8")
    assert text == page(suite), "run python -m tools.rule_tables"


def test_every_rule_is_on_the_page_of_its_suite() -> None:
    """Once; a rule of every suite is on each page."""
    for suite in SUITES:
        text = (DOCS / f"{suite}.md").read_text(encoding="utf-8").partition("<!-- rules:begin")[2]
        listed = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
        assert sorted(listed) == sorted(
            check.id for check in every_rule() if check.rule.suite in (suite, "every suite")
        )
