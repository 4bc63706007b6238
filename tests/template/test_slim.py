"""What `nox -s slim` leaves of the template."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.migrations.files.released import compare_with_released
from tests.template.clones import commit_all, copy, git, passes, python_of
from tools.rename import read_name, rename, title_of, tracked
from tools.sample import CHANGED, GONE, KEPT, SCOPE, Change
from tools.slim import changed, cut, slim

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = read_name(ROOT).snake


def test_every_file_of_the_app_and_its_tests_is_the_samples_or_is_not() -> None:
    """What is added to the template is listed in tools/sample.py: as part of the sample, as shared, or as kept."""
    listed = list(map(here, (*GONE, *CHANGED, *KEPT)))
    assert len(listed) == len({*listed})
    scope = tuple(map(here, SCOPE))
    present = {path for path in tracked(ROOT) if path.startswith(scope)} - {"tests/schema/statements.json"}
    assert present == {path for path in listed if path.startswith(scope)}


def here(path: str) -> str:
    """A path of tools/sample.py as it is in this project."""
    return path.replace("PACKAGE", PACKAGE)


def test_released_revisions_may_go(tmp_path: Path) -> None:
    """The start of history names every revision that it stands for, so that edited-history is silent about them."""
    git(tmp_path, "clone", "--quiet", str(copy(tmp_path / "origin")), str(place := tmp_path / "clone"))
    slim(place)
    compared = compare_with_released([place / "migrations" / "versions"], {})
    assert compared.findings == ()
    assert "starts anew with 0001, in place of" in compared.note


def test_no_page_tells_of_what_is_gone(tmp_path: Path) -> None:
    """The proof and the load speak of the sample: neither README nor docs offer them after."""
    place = copy(tmp_path)
    told = re.compile(r"-s (proof|load)\b|proof\.md")
    assert telling(place, told) != []
    slim(place)
    commit_all(place, "Start without the sample")
    assert telling(place, told) == []


def telling(place: Path, told: re.Pattern[str]) -> list[str]:
    """The pages in which a pattern stands."""
    pages = [path for path in tracked(place) if path.endswith(".md")]
    return [path for path in pages if told.search((place / path).read_text(encoding="utf-8"))]


@pytest.mark.slow
def test_what_is_left_is_a_project_that_passes(tmp_path: Path) -> None:
    """Renamed and then slimmed: style, types, every suite with the API's slow tests, and nothing served but probes."""
    place, name = copy(tmp_path), "amber_lane"
    rename(place, name)
    commit_all(place, "Rename")
    slim(place)
    commit_all(place, "Start without the sample")
    assert served(place) == ["GET /health", "GET /ready"]
    assert title_of(name) in (place / "README.md").read_text()
    passes(place, "ruff", "check")
    passes(place, "ruff", "format", "--check")
    passes(place, "mypy")
    passes(place, "pytest", "--quiet", "-m", "not slow", "--ignore=tests/harness")
    passes(place, "pytest", "--quiet", "-m", "slow and not nightly", "tests/api")


@pytest.mark.slow
def test_the_harness_does_not_lean_on_the_sample(tmp_path: Path) -> None:
    """Its own tests pass in a project that has no table."""
    place = copy(tmp_path)
    slim(place)
    commit_all(place, "Start without the sample")
    passes(place, "pytest", "--quiet", "-m", "not slow", "tests/harness")


def served(place: Path) -> list[str]:
    """The routes that a clone's app documents."""
    program = "import json, pathlib; from harness.api.routes import read_document as read, routes;"
    program += "print(json.dumps(routes(read(pathlib.Path()))))"
    done = python_of(place, "-c", program)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_history_starts_with_one_revision_that_makes_no_table(tmp_path: Path) -> None:
    """Nothing stands below it, the app waits for it, and no file of the sample is left behind."""
    place = copy(tmp_path)
    slim(place)
    commit_all(place, "Start without the sample")
    (start,) = (place / "migrations" / "versions").glob("*.py")
    text = start.read_text()
    assert "down_revision: str | tuple[str, ...] | None = None" in text
    assert "create_table" not in text
    assert 'HEAD = "0001"' in (place / "src" / PACKAGE / "db" / "head.py").read_text()
    assert not [path for path in tracked(place) if path.startswith(tuple(map(here, GONE)))]
    scope = tuple(map(here, SCOPE))
    left = {path: (place / path).read_text() for path in tracked(place) if path.startswith(scope)}
    assert [path for path, text in left.items() if re.search(r"f\"/v1/(users|todos|tags)|\bowner: int", text)] == []
    with pytest.raises(HarnessError, match="is not here: has the sample been taken out already"):
        slim(place)


def test_a_sample_that_was_changed_is_left_as_it_is(tmp_path: Path) -> None:
    """Somebody's own work in a shared file would be lost or left half: the file and the text are named instead."""
    place = copy(tmp_path)
    path = place / "src" / PACKAGE / "api" / "problems.py"
    path.write_text(path.read_text().replace('    "uq_users_email": "email",\n', ""))
    commit_all(place, "Ours")
    with pytest.raises(HarnessError, match=r"problems\.py has no FIELDS = \{"):
        slim(place)
    assert git(place, "status", "--porcelain") == ""


def test_a_definition_goes_with_its_decorators_and_its_docs() -> None:
    """What stands around it stays, to the letter."""
    text = '''import os

A = 1
"""Of A."""

B: int = 2

# kept
C = 3


@os.fspath
@os.fspath
def d() -> None:
    """Of d."""


class E:
    pass
'''
    left = "import os\n\n\n\n# kept\nC = 3\n\n\n\n\nclass E:\n    pass\n"
    assert cut(text, ("A", "B", "d")) == left
    with pytest.raises(ValueError, match=r"^F$"):
        cut(text, ("F",))


def test_a_text_that_is_not_there_is_named() -> None:
    """Data that has fallen behind the file it speaks of fails, and never passes silently."""
    with pytest.raises(ValueError, match=r"^from x$"):
        changed("import y\n", Change(instead={"from PACKAGE": ""}), "x")
