"""Every rule over a trace finds what breaks it and is silent on what does the like safely, on a real server."""

from __future__ import annotations

import pytest

from harness.rules import catalogue
from tests.harness.migrations.examples import BREAKS, SILENT
from tests.harness.migrations.workbench import Example, Workbench

pytestmark = pytest.mark.slow

UNREACHED = {"index-corruption-14.0-14.3", "not-seeded"}
"""Judged by a version that no server here has (test_trace.py judges a made-up trace), and by rows (test_judge.py)."""


def cases(examples: dict[str, list[Example]]) -> list[object]:
    """One case an example."""
    return [
        pytest.param(rule, example, id=f"{rule}-{number}")
        for rule, several in examples.items()
        for number, example in enumerate(several, start=1)
    ]


def test_every_rule_has_examples() -> None:
    """A rule without a revision that breaks it, or without one that must stay silent, is not finished."""
    named = {check.id for check in catalogue("migrations", "trace")} - UNREACHED
    assert named == set(BREAKS)
    assert named == set(SILENT)


@pytest.mark.parametrize(("rule", "example"), cases(BREAKS))
def test_a_rule_finds_what_breaks_it(rule: str, example: Example, workbench: Workbench) -> None:
    """A hazard is found under its id."""
    seen, found = workbench.see(example)
    assert rule in {finding.rule.id for finding in found}, (seen.trace.error, seen.statements, found)


@pytest.mark.parametrize(("rule", "example"), cases(SILENT))
def test_what_is_safe_is_silent(rule: str, example: Example, workbench: Workbench) -> None:
    """The safe way gives no error and no warning, of this rule or of any other."""
    seen, found = workbench.see(example)
    assert not [str(finding) for finding in found if finding.severity != "info"], seen.trace.error
