"""The catalogue of changes fits the repository."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.proof.__main__ import arguments
from tools.proof.catalogue import CHANGES
from tools.proof.change import RULE, Change, Edit, PlantError, answer, edited, head
from tools.proof.running import copy_tracked

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.id)
def test_every_edit_changes_something(change: Change) -> None:
    """The text that an edit replaces occurs once, a new file does not exist yet, and the results are valid Python."""
    for edit in change.edits:
        path = ROOT / edit.path
        text = edited(edit, path, head(ROOT))
        assert not edit.old or text != path.read_text(encoding="utf-8"), edit.path
        if path.suffix == ".py" and len([each for each in change.edits if each.path == edit.path]) == 1:
            compile(text, edit.path, "exec")


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.id)
def test_every_change_names_existing_tests(change: Change) -> None:
    """Each argument is a file with that test, or the change adds it; an expected test is among those that run."""
    made = {edit.path: edit.new for edit in change.edits if not edit.old}
    assert change.tests
    for argument in change.tests:
        file, _, test = argument.partition("::")
        text = made[file] if file in made else (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"\b{test.partition('[')[0]}\b", text), argument
    if "::" in change.expected:
        assert change.expected.partition("::")[0] in [argument.partition("::")[0] for argument in change.tests]


def test_planted_code_has_no_undefined_name(tmp_path: Path) -> None:
    """A fault must be caught for itself, not for a missing import."""
    now = head(ROOT)
    for change in CHANGES:
        for path in {edit.path for edit in change.edits if edit.path.endswith(".py")}:
            copy = tmp_path / change.id / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / path).exists():
                copy.write_bytes((ROOT / path).read_bytes())
            for edit in change.edits:
                if edit.path == path:
                    copy.write_text(edited(edit, copy, now), encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F821", str(tmp_path)]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_there_are_enough_changes_with_unique_ids() -> None:
    """At least 40 faults and 15 harmless changes; an id is also a file name."""
    faults = [change for change in CHANGES if change.expected]
    assert len(faults) >= 40
    assert len(CHANGES) - len(faults) >= 15
    assert len({change.id for change in CHANGES}) == len(CHANGES)
    assert all(RULE.fullmatch(change.id) for change in CHANGES)


def test_the_page_lists_every_change() -> None:
    """docs/proof.md was written after the last change to the catalogue."""
    page = (ROOT / "docs" / "proof.md").read_text(encoding="utf-8")
    assert not [change.id for change in CHANGES if f"| {change.id} | {change.done} |" not in page]


@pytest.mark.parametrize(
    ("expected", "output"),
    [
        ("index-duplicate", "E   index-duplicate: public.ix_notes_again\n"),
        ("pool-too-small", "severity  rule  object\nerror     pool-too-small  pool    20 clients\n"),
        ("tests/a.py::test_b", "FAILED tests/a.py::test_b[1] - assert 1 == 2\n"),
        ("a black box", "Failed: sees a black box\n"),
    ],
)
def test_the_line_that_names_the_fault_is_found(expected: str, output: str) -> None:
    """A rule counts in a finding, a test among the failures, a text anywhere."""
    assert answer(expected, output) == output.splitlines()[-1].removeprefix("E   ")


@pytest.mark.parametrize(
    ("expected", "output"),
    [
        ("index-duplicate", "FAILED tests/schema/test_rules.py::test_rule[index-duplicate] - KeyError: 'x'\n"),
        ("index-duplicate", "E   no-index-duplicate: public.ix_notes_again\n"),
        ("tests/a.py::test_b", "tests/a.py::test_b PASSED\n"),
    ],
)
def test_other_mentions_do_not_count(expected: str, output: str) -> None:
    """A rule in the id of a failed test does not count, nor does a test that passed."""
    assert not answer(expected, output)


def test_a_copy_has_uncommitted_files_and_counts_them_as_released(tmp_path: Path) -> None:
    """New files are copied, ignored ones are not, and the copy has no change against its released state."""
    root, copy = tmp_path / "root", tmp_path / "copy"
    root.mkdir()
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    for name in ("fresh.py", "left.txt", ".gitignore"):
        (root / name).write_text("left.txt\n")
    copy_tracked(root, copy)
    assert {path.name for path in copy.iterdir()} == {".git", "fresh.py", ".gitignore"}
    command = ["git", "diff", "--name-only", "origin/HEAD"]
    assert subprocess.run(command, cwd=copy, check=True, capture_output=True, text=True).stdout == ""


def test_an_edit_that_does_not_fit_is_rejected(tmp_path: Path) -> None:
    """Its text occurs twice or never, or its new file exists."""
    (tmp_path / "a").write_text("x x")
    for edit in (Edit("a", "x", "y"), Edit("a", "z", "y"), Edit("a", "", "y"), Edit("b", "x", "y")):
        with pytest.raises(PlantError):
            edited(edit, tmp_path / edit.path, "0006")


@pytest.mark.parametrize("jobs", ["0", "1000"])
def test_an_impossible_number_of_jobs_is_rejected(
    jobs: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Zero would never end, and a thousand would overload the machine."""
    monkeypatch.setattr(sys, "argv", ["proof", "-j", jobs])
    with pytest.raises(SystemExit):
        arguments()
    assert f"{jobs}: give a whole number from 1 to 64" in capsys.readouterr().err
