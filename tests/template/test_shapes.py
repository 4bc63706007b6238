"""Projects that differ from the sample pass all suites, and a fault in one is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.template.clones import ROOT, passes, python_of
from tests.template.projects import NAME, SHAPES, described, edit, run_tests

Shaped = Callable[[str], Path]

PAGES = ("api.md", "authentication.md", "schema.md")
BLOCK = re.compile(r"^`([\w./]+)`[^\n]*:\n\n```(?:python|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMES = sorted(path.parent.name for path in SHAPES.glob("*/shape.toml"))
LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
SUITES = ("tests/api", "tests/schema", "tests/migrations")


FAULTS = [
    pytest.param(name, fault, id=f"{name}: {fault['name']}") for name in NAMES for fault in described(name)["fault"]
]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_project_of_a_shape_passes_its_checks(project_of: Shaped, name: str) -> None:
    """Style, imports, types, and every suite with its slow tests."""
    place = project_of(name)
    passes(place, "ruff", "check")
    passes(place, "ruff", "format", "--check")
    imports = python_of(place, "-c", LINT_IMPORTS, "--no-cache")
    assert imports.returncode == 0, imports.stdout
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


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_the_code_of_a_shape(page: str) -> None:
    """Each block below the name of a file is in that file of `auth`, or in what the shape writes into it."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8").replace("acme_orders", NAME)
    blocks = BLOCK.findall(text)
    assert len(blocks) >= 4
    assert [f"{name}: {code}" for name, code in blocks if code not in written("auth", name)] == []


def written(shape: str, name: str) -> str:
    """Return the text of a file that a shape adds, or the texts that it writes into one of the template."""
    if (path := SHAPES / shape / name).exists():
        return path.read_text(encoding="utf-8")
    return "\n".join(f"{each['new']}\n" for each in described(shape)["edit"] if each["file"] == name)
