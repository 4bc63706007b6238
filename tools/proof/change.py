"""One change to the repository: what a developer did, as edits, and what the tests must say of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HEAD = "src/sealy/db/head.py"
HEAD_REVISION = "HEAD_REVISION"
NEXT_REVISION = "NEXT_REVISION"
"""Stand in edits for the head of the copy, and for the number after it."""

RULE = re.compile(r"[a-z]+(-[a-z]+)*")


@dataclass(frozen=True, slots=True)
class Edit:
    """`new` in place of `old`, which the file at `path` holds exactly once; an empty `old` makes a file."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """Edits that belong together, and the tests (arguments of pytest) that judge them.

    `expected` is the rule that must be named, or the test that must fail, or the words that must be said; a change
    without one is harmless, and the tests must pass.
    """

    id: str
    done: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]
    expected: str = ""


class PlantError(Exception):
    """An edit does not fit the files as they are: it would plant nothing."""


def head(root: Path) -> str:
    """The head revision of the project at `root`.

    Raises:
        PlantError: when the constant is not there.
    """
    found = re.search(r'(?m)^HEAD\b.*?= *"(\d+)"', (root / HEAD).read_text(encoding="utf-8"))
    if found is None:
        raise PlantError(f"{HEAD} holds no HEAD = with a number")
    return found[1]


def fill(text: str, now: str) -> str:
    """Put the head and the number after it where they are named."""
    return text.replace(HEAD_REVISION, now).replace(NEXT_REVISION, f"{int(now) + 1:0{len(now)}}")


def plant(change: Change, root: Path) -> None:
    """Make the change in the project at `root`.

    Raises:
        PlantError: when an edit does not fit; those before it are made then.
    """
    now = head(root)
    for edit in change.edits:
        path = root / edit.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(edited(edit, path, now), encoding="utf-8")


def edited(edit: Edit, path: Path, now: str) -> str:
    """What the file at `path` holds after the edit.

    Raises:
        PlantError: when `old` is not there exactly once, or a file that is to be made is there.
    """
    if not edit.old:
        if path.exists():
            raise PlantError(f"{edit.path} is to be made, and is there already")
        return fill(edit.new, now)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    old = fill(edit.old, now)
    if text.count(old) != 1:
        raise PlantError(f"{edit.path} holds {text.count(old)} times, not once:\n{old}")
    return text.replace(old, fill(edit.new, now))


def tests_of(change: Change, now: str) -> list[str]:
    """The arguments of pytest."""
    return [fill(argument, now) for argument in change.tests]


def answer(expected: str, output: str) -> str:
    """The line of pytest's output that names a rule in a finding or a test as failed, or holds the words, or "".

    A finding begins with `rule: object`, and in the run's summary with `error  rule  object`; a rule's name elsewhere,
    in the id of a test say, is not enough.
    """
    if "::" in expected:
        return next((line for line in output.splitlines() if line.startswith(_failed(expected))), "")
    words = re.escape(expected)
    if RULE.fullmatch(expected):
        words = rf"(?<![\w-]){expected}: \S|^(error|warning) +{expected} +\S"
    found = re.search(rf"^.*?({words}).*", output, re.MULTILINE)
    return found[0].removeprefix("E ").strip() if found else ""


def _failed(test: str) -> tuple[str, str]:
    return f"FAILED {test}", f"ERROR {test}"
