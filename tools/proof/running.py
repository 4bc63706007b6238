"""Run the tests of one change in a copy of the repository."""

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

TIMEOUT = 600.0
"""Seconds after which a run is stopped."""

RELEASED = "refs/remotes/origin/main"

UNUSED = ("no:cacheprovider", "no:schemathesis", "no:hypothesispytest", "no:anyio")
"""Plugins that no test of the catalogue needs. Importing them takes half the time of a short run."""

_running: set[subprocess.Popen[str]] = set()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a change. `problem` is empty when the tests reported what they must."""

    change: Change
    problem: str
    seconds: float
    output: str

    @property
    def right(self) -> bool:
        """Whether the fault was named, or the harmless change passed."""
        return not self.problem

    @property
    def answer(self) -> str:
        """The line of the output that names the fault; without a fault the last line."""
        lines = self.output.splitlines() or [""]
        return answer(self.change.expected, self.output) if self.change.expected else lines[-1]


def copy_tracked(root: Path, copy: Path) -> None:
    """Copy all files that git does not ignore into a new repository, in which they count as released."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listing.split("\0")):
        if (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, copy / name)
    settings = ("commit.gpgsign=false", "user.name=proof", "user.email=proof@localhost")
    git = ["git", *(word for setting in settings for word in ("-c", setting))]
    for command in (
        "init --quiet --initial-branch=main --template=",
        "add --all",
        "commit --quiet --no-verify --message released",
        "repack -a -d --quiet",  # one file to copy instead of one per object
        f"update-ref {RELEASED} HEAD",
        f"symbolic-ref refs/remotes/origin/HEAD {RELEASED}",
    ):
        subprocess.run([*git, *command.split()], cwd=copy, capture_output=True, check=True)
    compileall.compile_dir(copy / "src", quiet=2)


def environment(copy: Path, cache: Path) -> dict[str, str]:
    """Return the environment of a run: the copy's sources, the proof's cache, and no variables of the app or of CI."""
    removed = ("APP_", "PYTEST_", "GIT_", "GITHUB_", "CI")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(removed)}
    return {**kept, "PYTHONPATH": str(copy / "src"), "XDG_CACHE_HOME": str(cache), "COLUMNS": "200"}


def prove(change: Change, clean: Path, place: Path) -> Outcome:
    """Plant a change in a copy of `clean` below `place`, run its tests and remove the copy."""
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
    """Interrupt every run, so that each stops its server. Ctrl-C in the terminal does not reach them."""
    for process in [*_running]:
        process.send_signal(signal.SIGINT)


def _run(tests: list[str], copy: Path, cache: Path) -> tuple[str, int]:
    """Return pytest's output and exit code; -1 after `TIMEOUT`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", *(f"-p{name}" for name in UNUSED), *tests],
        cwd=copy,
        env=environment(copy, cache),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    _running.add(process)
    try:
        output, _ = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        return process.communicate()[0], -1
    finally:
        _running.discard(process)
    return output, process.returncode


def _problem(change: Change, code: int | None, output: str) -> str:
    """Return why the result is wrong; "" when it is right."""
    if code is None:
        return "the change could not be planted"
    if not change.expected:
        return "" if code == 0 else f"the change is harmless, but pytest exited with {code}"
    if code not in (1, 2):  # 2 is a refusal of the whole project
        return "no test failed" if code == 0 else f"pytest exited with {code} instead of 1"
    return "" if answer(change.expected, output) else f"tests failed, but none named {change.expected}"
