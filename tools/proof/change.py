"""One change to the repository: a developer's edits, and what the tests must report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HEAD = "src/sealy/db/head.py"
HEAD_REVISION = "HEAD_REVISION"
NEXT_REVISION = "NEXT_REVISION"
"""Placeholders in edits: the head revision of the copy, and the next number."""

RULE = re.compile(r"[a-z]+(-[a-z]+)*")


@dataclass(frozen=True, slots=True)
class Edit:
    """`new` in place of `old`, which the file at `path` holds exactly once; an empty `old` makes a file."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """Edits that belong together, and the tests (arguments of pytest) that check them.

    `expected` is a rule that must be named, a test that must fail, or a text that must be printed. A change without it
    is harmless, and the tests must pass.
    """

    id: str
    done: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]
    expected: str = ""


class PlantError(Exception):
    """An edit does not fit the files."""


def head(root: Path) -> str:
    """Return the head revision of the project at `root`: the last one that head.py lists.

    Raises:
        PlantError: when head.py lists none.
    """
    found = re.findall(r'(?m)^    "(\d+)",', (root / HEAD).read_text(encoding="utf-8"))
    if not found:
        raise PlantError(f"{HEAD} lists no revision")
    return str(found[-1])


def fill(text: str, now: str) -> str:
    """Replace the placeholders."""
    return text.replace(HEAD_REVISION, now).replace(NEXT_REVISION, f"{int(now) + 1:0{len(now)}}")


def plant(change: Change, root: Path) -> None:
    """Make the change in the project at `root`.

    Raises:
        PlantError: when an edit does not fit; earlier edits are made then.
    """
    now = head(root)
    for edit in change.edits:
        path = root / edit.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(edited(edit, path, now), encoding="utf-8")


def edited(edit: Edit, path: Path, now: str) -> str:
    """Return the content of the file at `path` after the edit.

    Raises:
        PlantError: when `old` does not occur exactly once, or a new file exists already.
    """
    if not edit.old:
        if path.exists():
            raise PlantError(f"{edit.path} exists already")
        return fill(edit.new, now)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    old = fill(edit.old, now)
    if text.count(old) != 1:
        raise PlantError(f"{edit.path} contains {text.count(old)} times instead of once:\n{old}")
    return text.replace(old, fill(edit.new, now))


def tests_of(change: Change, now: str) -> list[str]:
    """Return the arguments of pytest."""
    return [fill(argument, now) for argument in change.tests]


def answer(expected: str, output: str) -> str:
    """Return the line of pytest's output that names the rule, the failed test or the text; "" without one.

    A finding begins with `rule: object`, and in the summary of the run with `error  rule  object`. The name of a rule
    elsewhere, such as in the id of a test, does not count.
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
