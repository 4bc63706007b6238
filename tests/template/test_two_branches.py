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


def test_what_the_page_shows_is_what_happens(tmp_path: Path) -> None:
    """One id twice, then a revision below the released head, then the revision written again: each as the page says."""
    git(tmp_path, "clone", "--quiet", str(copy(tmp_path / "origin")), str(place := tmp_path / "clone"))
    for message in CHANGES:
        branch(place, message)
    git(place, "push", "--quiet", "origin", "note-of-a-todo:refs/heads/released")
    git(tmp_path / "origin", "merge", "--quiet", "released")
    git(place, "fetch", "--quiet", "origin")
    merged = python_of(place, "-c", "import subprocess as s; s.run(['git', 'merge', 'origin/main'], check=False)")
    assert f"CONFLICT (content): Merge conflict in src/{PACKAGE}/db/todos.py" in merged.stdout
    without_markers(place / "src" / PACKAGE / "db" / "todos.py")
    without_markers(place / "docs" / "diagram.md")
    commit_all(place, "Merge main")
    refused = python_of(place, "-m", "harness", "migrations")
    assert refused.returncode == 2
    assert shown(refused.stderr), refused.stderr

    (own,) = (place / "migrations" / "versions").glob("*_0007_when_*.py")
    text = own.read_text(encoding="utf-8")
    own.unlink()
    other = own.with_name(own.name.replace("0007", "0008"))
    other.write_text(text.replace("0007", "0008"), encoding="utf-8")
    found = python_of(place, "-m", "pytest", "tests/migrations/test_released.py").stdout
    [finding] = re.findall(r"^error: non-linear: 0008.*\n(?:  .*\n)+", found, re.MULTILINE)
    assert shown(finding), finding

    other.unlink()
    printed = passes(place, "tools.revision", "when a todo was archived")
    assert shown(next(line for line in printed.splitlines() if line.startswith("revision: "))), printed
    commit_all(place, "Put the revision after the released one")
    suite = ("tests/migrations/test_released.py", "tests/migrations/test_history.py")
    assert "7 released revisions compared with origin/HEAD" in passes(place, "pytest", *suite)
