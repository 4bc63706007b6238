"""docs/two-branches.md, as it happens: two branches that each hold a revision 0007, and what is printed about them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.template.clones import ROOT, commit_all, copy, git, passes, python_of
from tools.rename import read_name

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "two-branches.md").read_text(encoding="utf-8")
PACKAGE = read_name(ROOT).snake
DUE = "    due_at: Mapped[datetime | None]\n"
CHANGES = {
    "note of a todo": "note: Mapped[str | None]",
    "when a todo was archived": "archived_at: Mapped[datetime | None]",
}
VARIES = re.compile(r"\d{4}_\d{2}_\d{2}_|at [0-9a-f]{12}|/\S*(?=/migrations/)")
"""A date, a commit and the path of the clone."""


def shown(printed: str) -> bool:
    """Whether the page has this text, apart from what varies."""
    return VARIES.sub("", printed.strip()) in VARIES.sub("", PAGE)


def branch(place: Path, message: str) -> None:
    """Make a branch from the released head that adds a column with its revision."""
    git(place, "checkout", "--quiet", "-b", message.replace(" ", "-"), "main")
    model = place / "src" / PACKAGE / "db" / "todos.py"
    text = model.read_text(encoding="utf-8")
    model.write_text(text.replace(DUE, f"{DUE}    {CHANGES[message]}\n"), encoding="utf-8")
    passes(place, "tools.revision", message)
    commit_all(place, message)


def without_markers(path: Path) -> None:
    """Keep the lines of both sides of a conflict."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(("<<<<", "====", ">>>>"))), encoding="utf-8")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in the middle of the merge: the other branch, which is on the remote's main, is merged into ours."""
    git(tmp_path, "clone", "--quiet", str(copy(tmp_path / "origin")), str(place := tmp_path / "clone"))
    for message in CHANGES:
        branch(place, message)
    git(place, "push", "--quiet", "origin", "note-of-a-todo:refs/heads/released")
    git(tmp_path / "origin", "merge", "--quiet", "released")
    git(place, "fetch", "--quiet", "origin")
    merged = python_of(place, "-c", "import subprocess as s; s.run(['git', 'merge', 'origin/main'], check=False)")
    for file in ("head", "todos"):
        assert shown(f"CONFLICT (content): Merge conflict in src/{PACKAGE}/db/{file}.py")
        assert f"CONFLICT (content): Merge conflict in src/{PACKAGE}/db/{file}.py" in merged.stdout
    return place


def test_what_the_page_shows_is_what_happens(clone: Path) -> None:
    """A conflict in head.py, which stops pytest, and is resolved with the next number for our revision."""
    refused = python_of(clone, "-m", "pytest", "tests/api")
    assert refused.returncode == 2
    assert shown(refused.stdout + refused.stderr), refused.stdout + refused.stderr
    without_markers(clone / "src" / PACKAGE / "db" / "todos.py")
    without_markers(clone / "docs" / "diagram.md")
    assert shown(printed := passes(clone, "tools.revision", "--renumber")), printed
    commit_all(clone, "Merge main")
    suite = ("tests/migrations/test_released.py", "tests/migrations/test_history.py")
    assert "7 released revisions compared with origin/HEAD" in passes(clone, "pytest", *suite)


def test_a_conflict_that_was_resolved_by_hand_is_refused(clone: Path) -> None:
    """One id twice, then two heads: one message, and no test runs."""
    for file in (f"src/{PACKAGE}/db/head.py", f"src/{PACKAGE}/db/todos.py", "docs/diagram.md"):
        without_markers(clone / file)
    commit_all(clone, "Merge main")
    refused = python_of(clone, "-m", "harness", "migrations")
    assert refused.returncode == 2
    assert shown(refused.stderr), refused.stderr
    (ours,) = (clone / "migrations" / "versions").glob("*_0007_when_*.py")
    text = ours.read_text(encoding="utf-8")
    ours.with_name(ours.name.replace("0007", "0008")).write_text(text.replace("0007", "0008"), encoding="utf-8")
    ours.unlink()
    stopped = python_of(clone, "-m", "pytest", "-q", "tests/api", "tests/schema", "tests/migrations")
    assert stopped.returncode == 2
    assert "the history has 2 heads: 0007 and 0008\n" in stopped.stdout
    assert len(stopped.stdout.splitlines()) <= 12, stopped.stdout
