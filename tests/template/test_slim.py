"""`nox -s slim`, run in clones of the template."""

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


def test_every_file_of_the_app_and_its_tests_is_listed() -> None:
    """Each file is in one list of tools/sample.py: part of the sample, shared, or kept."""
    listed = list(map(here, (*GONE, *CHANGED, *KEPT)))
    assert len(listed) == len({*listed})
    scope = tuple(map(here, SCOPE))
    present = {path for path in tracked(ROOT) if path.startswith(scope)} - {"tests/schema/statements.json"}
    assert present == {path for path in listed if path.startswith(scope)}


def here(path: str) -> str:
    """Return a path of tools/sample.py as it is in this project."""
    return path.replace("PACKAGE", PACKAGE)


def test_released_revisions_may_be_removed(tmp_path: Path) -> None:
    """The new first revision names those that it replaces, so edited-history does not report them."""
    git(tmp_path, "clone", "--quiet", str(copy(tmp_path / "origin")), str(place := tmp_path / "clone"))
    slim(place)
    compared = compare_with_released([place / "migrations" / "versions"], {})
    assert compared.findings == ()
    assert "starts again with 0001, instead of" in compared.note


def test_no_page_mentions_removed_sessions(tmp_path: Path) -> None:
    """`proof` and `load` are about the sample: README and docs no longer mention them."""
    place = copy(tmp_path)
    removed = re.compile(r"(-s|run\.py) (proof|load)\b|proof\.md")
    assert mentioning(place, removed) != []
    slim(place)
    commit_all(place, "Start without the sample")
    assert mentioning(place, removed) == []


def mentioning(place: Path, pattern: re.Pattern[str]) -> list[str]:
    """Return the pages that match a pattern."""
    pages = [path for path in tracked(place) if path.endswith(".md")]
    return [path for path in pages if pattern.search((place / path).read_text(encoding="utf-8"))]


@pytest.mark.slow
def test_a_renamed_and_slimmed_project_passes_its_checks(tmp_path: Path) -> None:
    """Style, types and every suite pass, with the API's slow tests, and the app serves only its probes."""
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
def test_the_harness_does_not_depend_on_the_sample(tmp_path: Path) -> None:
    """Its tests pass in a project without a table."""
    place = copy(tmp_path)
    slim(place)
    commit_all(place, "Start without the sample")
    passes(place, "pytest", "--quiet", "-m", "not slow", "tests/harness")


def served(place: Path) -> list[str]:
    """Return the routes in the OpenAPI document of a clone's app."""
    program = "import json, pathlib; from harness.api.routes import read_document as read, routes;"
    program += "print(json.dumps(routes(read(pathlib.Path()))))"
    done = python_of(place, "-c", program)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_history_starts_with_one_revision_without_tables(tmp_path: Path) -> None:
    """It has no predecessor, it is the app's head, and no file of the sample is left."""
    place = copy(tmp_path)
    slim(place)
    commit_all(place, "Start without the sample")
    (start,) = (place / "migrations" / "versions").glob("*.py")
    text = start.read_text()
    assert "down_revision: str | tuple[str, ...] | None = None" in text
    assert "create_table" not in text
    assert 'REVISIONS = (\n    "0001",  # 0001_start\n)\n' in (place / "src" / PACKAGE / "db" / "head.py").read_text()
    assert not [path for path in tracked(place) if path.startswith(tuple(map(here, GONE)))]
    scope = tuple(map(here, SCOPE))
    left = {path: (place / path).read_text() for path in tracked(place) if path.startswith(scope)}
    assert [path for path, text in left.items() if re.search(r"f\"/v1/(users|todos|tags)|\bowner: int", text)] == []
    with pytest.raises(HarnessError, match="of the sample does not exist"):
        slim(place)


def test_a_changed_sample_is_not_removed(tmp_path: Path) -> None:
    """If a shared file was edited, the error names the file and the missing text, and nothing is changed."""
    place = copy(tmp_path)
    path = place / "src" / PACKAGE / "api" / "conflicts.py"
    path.write_text(path.read_text().replace('"uq_users_email": "email", ', ""))
    commit_all(place, "Ours")
    with pytest.raises(HarnessError, match=r"conflicts\.py was changed: it does not contain FIELDS = \{"):
        slim(place)
    assert git(place, "status", "--porcelain") == ""


def test_a_definition_is_cut_with_its_decorators_and_docs() -> None:
    """The text around it does not change."""
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


def test_a_missing_text_is_named() -> None:
    """If tools/sample.py does not match a file, the error names the text."""
    with pytest.raises(ValueError, match=r"^from x$"):
        changed("import y\n", Change(instead={"from PACKAGE": ""}), "x")
