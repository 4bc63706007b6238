"""Choose rows of CI so that each Python and PostgreSQL version installed here runs once, besides the default run's.

Sessions that differ only in Python, such as `template`, run on the oldest and the newest one.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, TextIO

from harness.config import load_config
from harness.errors import HarnessError
from harness.postgres.installations import installations
from tools.cli import error_exit

ROOT = Path(__file__).resolve().parent.parent


def works(python: str) -> bool:
    """Return whether a program such as `python3.12` starts; a version manager's shim may exist and still fail."""
    program = shutil.which(f"python{python}")
    return program is not None and not subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode


def choose(rows: Sequence[dict[str, Any]], pythons: set[str], majors: set[int], usual: tuple[str, int]) -> list[str]:
    """Return the sessions that cover `pythons` and `majors`, without those of the default run, `usual`.

    A row has `session`, `python` and `call_spec`, as `nox --list --json` prints it; `call_spec` may have `pg`.
    """
    known = {(row["python"], row["call_spec"].get("pg")): row["session"] for row in rows if row["python"]}
    offered = {python for python, _ in known}, {major for _, major in known}
    others = sorted((pythons & offered[0]) - {usual[0]}), sorted((majors & offered[1]) - {usual[1]})
    pairs = [(python or usual[0], major or usual[1]) for python, major in zip_longest(*others)]
    return [known[pair] for pair in pairs if pair in known] + oldest_and_newest(rows, pythons)


def oldest_and_newest(rows: Sequence[dict[str, Any]], pythons: set[str]) -> list[str]:
    """Return the sessions without a PostgreSQL major, on the oldest and the newest of `pythons`."""
    named = {(row["session"].rpartition("-")[0], row["python"]): row["session"] for row in rows if not row["call_spec"]}
    found = []
    for kind in sorted({kind for kind, python in named if kind and python in pythons}):
        offered = sorted((python for each, python in named if each == kind and python in pythons), key=minor)
        found += [named[kind, python] for python in dict.fromkeys((offered[0], offered[-1]))]
    return found


def minor(python: str) -> int:
    """Return 12 for 3.12."""
    return int(python.rpartition(".")[2])


def read_rows(file: TextIO) -> list[dict[str, Any]]:
    """Return the rows that `nox --list --json` printed.

    Raises:
        HarnessError: for any other text.
    """
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        rows: list[dict[str, Any]] = json.load(file)
        if all({"session", "python", "call_spec"} <= row.keys() for row in rows):
            return rows
    remedy = "nox --list --json | python -m tools.ci_matrix"
    raise HarnessError("standard input is not the output of nox --list --json", remedy=remedy)


def main() -> None:
    """Read nox's list from standard input, and print one session per line."""
    with error_exit("ci_matrix"):
        rows = read_rows(sys.stdin)
        usual = (f"{sys.version_info.major}.{sys.version_info.minor}", load_config(ROOT).postgres)
    pythons = {row["python"] for row in rows if row["python"] and works(row["python"])}
    print("\n".join(choose(rows, pythons, {found.major for found in installations()}, usual)))


if __name__ == "__main__":
    main()
