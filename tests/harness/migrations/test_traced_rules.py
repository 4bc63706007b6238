"""Each rule that judges a trace finds its violating examples and accepts its clean ones."""

from __future__ import annotations

import pytest

from harness.examples import Example, examples_of
from harness.rules import catalogue
from tests.harness.migrations.workbench import Example as Bodies
from tests.harness.migrations.workbench import Workbench

pytestmark = pytest.mark.slow

TRACED = [check.id for check in catalogue("migrations", "trace")]
"""test_trace.py judges the examples of another server."""


def cases(*, breaks: bool) -> list[object]:
    """One case an example that this server can run."""
    return [
        pytest.param(item, id=f"{item.rule}-{item.name}")
        for item in examples_of(*TRACED, breaks=breaks)
        if "server" not in item.fields
    ]


@pytest.mark.parametrize("example", cases(breaks=True))
def test_a_rule_finds_what_breaks_it(example: Example, workbench: Workbench) -> None:
    """A fault is found under the id of its rule."""
    seen, found = workbench.see(Bodies(example.code, **example.fields))
    assert example.rule in {finding.rule.id for finding in found}, (seen.trace.error, seen.statements, found)


@pytest.mark.parametrize("example", cases(breaks=False))
def test_what_is_safe_is_silent(example: Example, workbench: Workbench) -> None:
    """The safe way gives no error and no warning, of this rule or of any other."""
    seen, found = workbench.see(Bodies(example.code, **example.fields))
    assert not [str(finding) for finding in found if finding.severity != "info"], seen.trace.error
