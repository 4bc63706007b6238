"""The catalogue of faults fits the repository as it is."""

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
    """What an edit replaces stands in its file exactly once, and what it makes is not there yet; results are Python."""
    for edit in change.edits:
        path = ROOT / edit.path
        text = edited(edit, path, head(ROOT))
        assert not edit.old or text != path.read_text(encoding="utf-8"), edit.path
        if path.suffix == ".py" and len([each for each in change.edits if each.path == edit.path]) == 1:
            compile(text, edit.path, "exec")


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.id)
def test_every_change_names_tests_that_are_there(change: Change) -> None:
    """Each argument is a file with that test, here or made by the change; an expected test is one of those that run."""
    made = {edit.path: edit.new for edit in change.edits if not edit.old}
    assert change.tests
    for argument in change.tests:
        file, _, test = argument.partition("::")
        text = made[file] if file in made else (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"\b{test.partition('[')[0]}\b", text), argument
    if "::" in change.expected:
        assert change.expected.partition("::")[0] in [argument.partition("::")[0] for argument in change.tests]


def test_what_is_planted_knows_its_names(tmp_path: Path) -> None:
    """A planted fault must fail by itself, not for an import that a file has lost since."""
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


def test_there_are_enough_of_each_and_every_id_is_one() -> None:
    """At least 40 faults and 15 harmless changes, under ids that are names of files too."""
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
def test_what_is_named_is_found(expected: str, output: str) -> None:
    """A rule in a finding, a test among the failures, words anywhere: the whole line answers."""
    assert answer(expected, output) == output.splitlines()[-1].removeprefix("E   ")


@pytest.mark.parametrize(
    ("expected", "output"),
    [
        ("index-duplicate", "FAILED tests/schema/test_rules.py::test_rule[index-duplicate] - KeyError: 'x'\n"),
        ("index-duplicate", "E   no-index-duplicate: public.ix_notes_again\n"),
        ("tests/a.py::test_b", "tests/a.py::test_b PASSED\n"),
    ],
)
def test_what_only_looks_like_it_is_not(expected: str, output: str) -> None:
    """A rule in the id of a test that failed for another reason is not named, nor is a test that passed."""
    assert not answer(expected, output)


def test_a_copy_holds_what_is_not_committed_yet_and_counts_it_as_released(tmp_path: Path) -> None:
    """New files are planted in too, ignored ones are left behind, and nothing of the copy is an edit of history."""
    root, copy = tmp_path / "root", tmp_path / "copy"
    root.mkdir()
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    for name in ("fresh.py", "left.txt", ".gitignore"):
        (root / name).write_text("left.txt\n")
    copy_tracked(root, copy)
    assert {path.name for path in copy.iterdir()} == {".git", "fresh.py", ".gitignore"}
    command = ["git", "diff", "--name-only", "origin/HEAD"]
    assert subprocess.run(command, cwd=copy, check=True, capture_output=True, text=True).stdout == ""


def test_an_edit_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    """Twice, or not at all, or over a file that is there."""
    (tmp_path / "a").write_text("x x")
    for edit in (Edit("a", "x", "y"), Edit("a", "z", "y"), Edit("a", "", "y"), Edit("b", "x", "y")):
        with pytest.raises(PlantError):
            edited(edit, tmp_path / edit.path, "0006")


@pytest.mark.parametrize("jobs", ["0", "1000"])
def test_a_number_of_copies_that_cannot_be_is_refused(
    jobs: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """None would wait for ever, and a thousand would fill the machine."""
    monkeypatch.setattr(sys, "argv", ["proof", "-j", jobs])
    with pytest.raises(SystemExit):
        arguments()
    assert f"{jobs}: give a whole number from 1 to 64" in capsys.readouterr().err
