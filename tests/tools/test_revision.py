"""`nox -s revision`: the head revision, and its errors."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.errors import HarnessError
from tools import revision
from tools.revision import write_head


def test_writing_the_head_keeps_the_rest_of_the_file(tmp_path: Path) -> None:
    """Only the value of the constant changes, with or without an annotation."""
    path = tmp_path / "head.py"
    path.write_text('"""The revision, "quoted"."""\n\nHEAD: str = "0001"\n')
    write_head(path, "0002")
    assert path.read_text() == '"""The revision, "quoted"."""\n\nHEAD: str = "0002"\n'


@pytest.mark.parametrize("text", ["LAST = 1\n", None], ids=["another constant", "no file"])
def test_a_file_without_the_constant_is_named(tmp_path: Path, text: str | None) -> None:
    """Without the constant, the error names the file and the revision to write."""
    path = tmp_path / "head.py"
    if text:
        path.write_text(text)
    with pytest.raises(HarnessError, match=r"head\.py has 0 lines HEAD[^$]*HEAD = \"0002\""):
        write_head(path, "0002")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], 'nox -s revision -- "add'),
        (["--help"], 'nox -s revision -- "add'),
        (["add"], "run in the project's root"),
    ],
)
def test_what_cannot_be_done_ends_with_two(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    """Without a message or a project, standard error says what to do."""
    monkeypatch.setattr(revision, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["revision", *arguments])
    with pytest.raises(SystemExit) as ended:
        revision.main()
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
