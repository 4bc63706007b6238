"""Choose sessions so that each Python and each Postgres found here is used once, beside the pair of the default run.

What has a Python but no Postgres to it, as the tests of the template have, is run on the oldest and on the newest.
"""

from __future__ import annotations

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
    """Whether `python3.12`, say, is there and runs; a version manager's shim may only say that it is not."""
    program = shutil.which(f"python{python}")
    return program is not None and not subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode


def choose(rows: Sequence[dict[str, Any]], pythons: set[str], majors: set[int], usual: tuple[str, int]) -> list[str]:
    """The names of those sessions in `rows` that cover `pythons` and `majors`, less the `usual` pair.

    A row is what `nox --list --json` prints: `session`, `python`, `call_spec` with `pg`.
    """
    known = {(row["python"], row["call_spec"].get("pg")): row["session"] for row in rows if row["python"]}
    offered = {python for python, _ in known}, {major for _, major in known}
    others = sorted((pythons & offered[0]) - {usual[0]}), sorted((majors & offered[1]) - {usual[1]})
    pairs = [(python or usual[0], major or usual[1]) for python, major in zip_longest(*others)]
    return [known[pair] for pair in pairs if pair in known] + at_the_ends(rows, pythons)


def at_the_ends(rows: Sequence[dict[str, Any]], pythons: set[str]) -> list[str]:
    """The names of sessions without a Postgres on the oldest and on the newest of `pythons` that any such has."""
    named = {(row["session"].rpartition("-")[0], row["python"]): row["session"] for row in rows if not row["call_spec"]}
    found = []
    for kind in sorted({kind for kind, python in named if kind and python in pythons}):
        offered = sorted((python for each, python in named if each == kind and python in pythons), key=minor)
        found += [named[kind, python] for python in dict.fromkeys((offered[0], offered[-1]))]
    return found


def minor(python: str) -> int:
    """12 of 3.12."""
    return int(python.rpartition(".")[2])


def read_rows(file: TextIO) -> list[dict[str, Any]]:
    """What `nox --list --json` has printed.

    Raises:
        HarnessError: for anything else.
    """
    try:
        rows: list[dict[str, Any]] = json.load(file)
        if all({"session", "python", "call_spec"} <= row.keys() for row in rows):
            return rows
    except (ValueError, TypeError, AttributeError):
        pass
    raise HarnessError(
        "standard input is not what `nox --list --json` prints: nox --list --json | python -m tools.ci_matrix"
    )


def main() -> None:
    """Read nox's listing from standard input, and print one session a line."""
    with error_exit("ci_matrix"):
        rows = read_rows(sys.stdin)
        usual = (f"{sys.version_info.major}.{sys.version_info.minor}", load_config(ROOT).postgres)
    pythons = {row["python"] for row in rows if row["python"] and works(row["python"])}
    print("\n".join(choose(rows, pythons, {found.major for found in installations()}, usual)))


if __name__ == "__main__":
    main()
