"""Which tests the sessions run: the template's run all, a project's only its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.template.clones import ENVIRONMENT, ROOT, commit_all, copy, python_of
from tools.rename import rename

NAME = "quartz_vault"
HARNESS = ("tests/harness", "tests/tools")
SUITES = {"tests/api", "tests/migrations", "tests/schema"}
WITHOUT_INSTALLING = ("--no-venv", "--no-install", "--no-dependencies")
ROW = ("--pg=", "--ignore=tests/template")
"""Options of one row of CI that choose no other tests."""


RECORDER = f"""#!{sys.executable}
import json, sys

with open("runs.jsonl", "a") as file:
    print(json.dumps(sys.argv[1:]), file=file)
"""
"""Replaces every Python that a session would run, and records the arguments."""

NO_VENV = """
import nox
from noxfile import PYTHONS

for python in PYTHONS:

    @nox.session(name=f"venv-{python}", default=False)
    def venv(session: nox.Session) -> None:
        pass
"""
"""Replaces the sessions that create the shared environments: nox resolves them even if it skips them."""


def prepare(place: Path) -> None:
    """Put the recorder where the sessions look for each promised Python, and first on the search path."""
    classifiers = tomllib.loads((place / "pyproject.toml").read_text())["project"]["classifiers"]
    versions = [each.rpartition(" ")[2] for each in classifiers if ":: Python :: 3." in each]
    for folder in ("path", *(f"venv-{version.replace('.', '-')}/bin" for version in versions)):
        program = place / ".nox" / folder / "python"
        program.parent.mkdir(parents=True)
        program.write_text(RECORDER)
        program.chmod(0o755)
    (place / "sessions.py").write_text(NO_VENV)
    commit_all(place, "No environments")


def pytest_arguments(place: Path, *selection: str) -> list[tuple[str, ...]]:
    """The arguments of each pytest run that the selected sessions start; runs of the same tests count as one."""
    done = subprocess.run(
        [sys.executable, "run.py", *WITHOUT_INSTALLING, *selection],
        cwd=place,
        env={**ENVIRONMENT, "PATH": f"{place / '.nox' / 'path'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    written = place / "runs.jsonl"
    runs = [json.loads(line) for line in written.read_text().splitlines()]
    written.unlink()
    taken = [run[run.index("pytest") + 1 :] for run in runs if "pytest" in run]
    return sorted({tuple(word for word in run if not word.startswith(ROW)) for run in taken})


def collected(place: Path, *arguments: str) -> set[str]:
    """The folders whose tests pytest collects."""
    done = python_of(place, "-m", "pytest", *arguments, "--collect-only", "--quiet", "-n0", "--dist=no")
    assert done.returncode == 0, done.stdout + done.stderr
    return {"/".join(line.split("/")[:2]) for line in done.stdout.splitlines() if "::" in line}


def folders(place: Path, *selection: str) -> set[str]:
    """The folders whose tests the selected sessions run."""
    return {folder for arguments in pytest_arguments(place, *selection) for folder in collected(place, *arguments)}


@pytest.mark.slow
def test_a_project_runs_its_own_tests_and_the_template_all(tmp_path: Path) -> None:
    """After `rename`, no default run, CI, `full` or plain pytest runs the harness's tests; they run by name."""
    place = copy(tmp_path)
    prepare(place)
    assert ("-o", f"testpaths={' '.join(HARNESS)} tests/template") in [run[:2] for run in pytest_arguments(place)]
    assert {*HARNESS} < collected(place)
    rename(place, NAME)
    commit_all(place, "Rename")
    own = {*SUITES, f"tests/{NAME}"}
    assert folders(place) == own
    assert folders(place, "--tags", "ci") == own | {"tests/deploy"}
    assert folders(place, "--session", "full") == own | {"tests/deploy"}
    assert folders(place, "--session", "harness") == {*HARNESS}
    assert collected(place) == own | {"tests/deploy"}
    assert collected(place, "tests/harness/schema") == {"tests/harness"}


COLLECT = """
import sys, pytest

class Collected:
    def pytest_collection_finish(self, session):
        self.files = {item.path.name for item in session.items}
        self.modules = {*sys.modules}

collected = Collected()
pytest.main(["--collect-only", "tests/api"], plugins=[collected])
print("\\ncollected", "test_fuzz.py" in collected.files, collected.modules & {"fastapi", "hypothesis", "schemathesis"})
"""


def test_collecting_does_not_import_what_only_some_tests_use() -> None:
    """`pytest -k one_test` does without schemathesis and Hypothesis: to import them takes as long as all else."""
    done = python_of(ROOT, "-c", COLLECT)
    assert done.stdout.endswith("\ncollected True {'fastapi'}\n"), done.stdout[-3000:] + done.stderr


@pytest.mark.nightly
def test_one_test_of_a_project_starts_soon(tmp_path: Path) -> None:
    """`pytest -k one_test` takes at most 3 s of CPU time in a renamed project, and less than 2 s on an idle machine."""
    place = copy(tmp_path)
    rename(place, NAME)
    environment = {**ENVIRONMENT, "PYTHONPATH": str(place / "src"), "PYTHONPYCACHEPREFIX": str(tmp_path / "compiled")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", "pytest", "-k", "test_a_process_on_a_database_at_head"]
    spent = []
    for _ in range(4):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert " passed" in done.stdout, done.stdout + done.stderr
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) <= 3, spent
