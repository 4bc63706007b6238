"""Projects that differ from the sample pass all suites, and a fault in one is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.template.clones import ROOT, passes
from tests.template.projects import NAME, SHAPES, described, edit, run_tests

Shaped = Callable[[str], Path]

NAMES = sorted(path.parent.name for path in SHAPES.glob("*/shape.toml"))
SUITES = ("tests/api", "tests/schema", "tests/migrations")


FAULTS = [
    pytest.param(name, fault, id=f"{name}: {fault['name']}") for name in NAMES for fault in described(name)["fault"]
]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_project_of_a_shape_passes_its_checks(project_of: Shaped, name: str) -> None:
    """Style, types, and every suite with its slow tests."""
    place = project_of(name)
    passes(place, "ruff", "check")
    passes(place, "ruff", "format", "--check")
    passes(place, "mypy", f"src/{NAME}", "tests/api")
    outcome = run_tests(place, *SUITES, "-m", "not nightly")
    assert (outcome.code, outcome.findings) == (0, []), outcome.output[-6000:]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "fault"), FAULTS)
def test_a_planted_fault_is_named(project_of: Shaped, name: str, fault: dict[str, str]) -> None:
    """The tests that are to find it fail, and print what it is and where."""
    place = project_of(name)
    edit(place, fault)
    outcome = run_tests(place, *fault["tests"].split(), "-m", "not slow")
    assert outcome.code in (1, 2), outcome.output[-6000:]
    assert re.search(fault["says"], outcome.output), outcome.output[-6000:]


@pytest.mark.parametrize("name", NAMES)
def test_a_shape_is_in_the_table(name: str) -> None:
    """docs/shapes.md says what works, and names the folder."""
    assert f"`{name}`" in (ROOT / "docs" / "shapes.md").read_text(encoding="utf-8")
