"""Runs the tests of one change in a copy of the repository, with nothing of this machine's runs around it."""

from __future__ import annotations

import compileall
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from tools.proof.change import Change, PlantError, answer, head, plant, tests_of

PATIENCE = 600.0
"""Seconds after which a run that got nowhere is ended."""

RELEASED = "refs/remotes/origin/main"

UNUSED = ("no:cacheprovider", "no:schemathesis", "no:hypothesispytest", "no:anyio")
"""Plugins that no test of the catalogue needs; importing them takes half of a short run."""

_running: set[subprocess.Popen[str]] = set()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change: `right` when the tests said what they must, else `problem` says what is wrong."""

    change: Change
    problem: str
    seconds: float
    output: str

    @property
    def right(self) -> bool:
        """Whether a fault was found and named, or a harmless change let through."""
        return not self.problem

    @property
    def answer(self) -> str:
        """What the tests said of it: the line that names a fault, or pytest's last one."""
        lines = self.output.splitlines() or [""]
        return answer(self.change.expected, self.output) if self.change.expected else lines[-1]


def copy_tracked(root: Path, copy: Path) -> None:
    """Copy what git tracks or would, as it is now, into a repository of its own, where all of it counts as released."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listing.split("\0")):
        if (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, copy / name)
    for command in (
        ("init", "--quiet", "--initial-branch=main", "--template="),
        ("add", "--all"),
        (
            "-c",
            "user.name=proof",
            "-c",
            "user.email=proof@localhost",
            "commit",
            "--quiet",
            "--no-verify",
            "-m",
            "as it is",
        ),
        ("repack", "-a", "-d", "--quiet"),  # one file to copy for all of them
        ("update-ref", RELEASED, "HEAD"),
        ("symbolic-ref", "refs/remotes/origin/HEAD", RELEASED),
    ):
        subprocess.run(["git", "-c", "commit.gpgsign=false", *command], cwd=copy, capture_output=True, check=True)
    compileall.compile_dir(copy / "src", quiet=2)


def surroundings(copy: Path, cache: Path) -> dict[str, str]:
    """The environment of a run: the copy's own sources, a cache of the proof's own, and no CI around it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("APP_", "PYTEST_", "GIT_", "CI"))}
    kept = {name: value for name, value in kept.items() if not name.startswith("GITHUB_")}
    return {**kept, "PYTHONPATH": str(copy / "src"), "XDG_CACHE_HOME": str(cache), "COLUMNS": "200"}


def prove(change: Change, clean: Path, place: Path) -> Outcome:
    """Plant a change in a copy of `clean` below `place`, run its tests, and remove the copy."""
    copy, begun = place / change.id, perf_counter()
    shutil.copytree(clean, copy, symlinks=True)
    try:
        plant(change, copy)
        output, code = _run(tests_of(change, head(clean)), copy, place / "cache")
    except PlantError as error:
        output, code = str(error), None
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    return Outcome(change, _problem(change, code, output), perf_counter() - begun, output)


def stop() -> None:
    """Interrupt every run, so that each stops its server; a terminal does not reach them."""
    for process in [*_running]:
        process.send_signal(signal.SIGINT)


def _run(tests: list[str], copy: Path, cache: Path) -> tuple[str, int]:
    """Pytest's output and exit code; -1 where it had to be ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", *(f"-p{name}" for name in UNUSED), *tests],
        cwd=copy,
        env=surroundings(copy, cache),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    _running.add(process)
    try:
        output, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        return process.communicate()[0], -1
    finally:
        _running.discard(process)
    return output, process.returncode


def _problem(change: Change, code: int | None, output: str) -> str:
    """Why a run is not what it must be; empty when it is."""
    if code is None:
        return "it was not planted"
    if not change.expected:
        return "" if code == 0 else f"pytest ended with {code}, though it does no harm"
    if code != 1:
        return "no test failed" if code == 0 else f"pytest ended with {code}, not with failed tests"
    return "" if answer(change.expected, output) else f"tests failed, and none named {change.expected}"
