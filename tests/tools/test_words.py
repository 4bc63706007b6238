"""`python -m tools.words` finds the idioms that CONTRIBUTING.md lists."""

from __future__ import annotations

from pathlib import Path

import pytest

import tools.words
from tools.rename import ROOT
from tools.words import PAGE, hits, words

PAGE_OF_TWO = "# Contributing\n\n## Words\n\n| avoid | write |\n|---|---|\n| a far cry | different |\n| erst | once |\n"
TABLE = words(PAGE_OF_TWO)


def test_the_table_of_the_page_is_read() -> None:
    """Each row below the heading, without header and rule; the template's page has more than thirty."""
    assert TABLE == {"a far cry": "different", "erst": "once"}
    assert len(words((ROOT / PAGE).read_text(encoding="utf-8"))) > 30


@pytest.mark.parametrize(
    "text",
    [
        "It is a far cry.",
        "# A far\n# cry",
        '"a far "\n    "cry"',
        "def test_a_far_cry() -> None: ...",
        "Erst it was.",
    ],
)
def test_an_idiom_is_found(text: str) -> None:
    """In any case, across the lines of prose, of a comment and of a string, and in the name of a test."""
    assert [idiom for _, idiom in hits(text, TABLE)] in (["a far cry"], ["erst"])


@pytest.mark.parametrize("text", ["a far, cry", "the first thirst", "a farcry", "value is None"])
def test_other_words_are_not(text: str) -> None:
    """Parts of longer words, words with something between them, and Python's None."""
    assert list(hits(text, TABLE | {"is none": "is not one"})) == []


def test_the_command_names_file_and_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each hit is one line with the plainer word; the exit code is 1. Without a hit it is 0."""
    (tmp_path / PAGE).write_text(PAGE_OF_TWO)
    (tmp_path / "page.md").write_text("One line.\nErst another.\n")
    monkeypatch.setattr(tools.words, "ROOT", tmp_path)
    monkeypatch.setattr(tools.words, "tracked", lambda root: [PAGE, "page.md", "picture.svg"])
    with pytest.raises(SystemExit) as ended:
        tools.words.main()
    assert ended.value.code == "page.md:2: erst: once"
    (tmp_path / "page.md").write_text("One line.\n")
    with pytest.raises(SystemExit) as ended:
        tools.words.main()
    assert ended.value.code is None
