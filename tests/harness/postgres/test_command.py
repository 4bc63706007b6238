"""`python -m harness postgres` lists the servers; every subcommand reports errors alike."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.__main__ import main
from harness.config import Config
from harness.postgres.installations import choose, installations

MISSING = 99
"""A major that no machine has."""


@pytest.fixture(autouse=True)
def in_the_project(harness_config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command reads the project that it is run in."""
    monkeypatch.chdir(harness_config.root)


def test_servers_are_listed_and_the_chosen_one_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a server, in the order in which they are found; the last line names the one that a run would take."""
    taken = next(installations())
    for arguments, asker in (
        (["--pg", str(taken.major)], "--pg"),
        (["--postgresql-exec", str(taken.bindir / "pg_ctl")], "--postgresql-exec"),
    ):
        assert main(["postgres", *arguments]) == 0
        *found, last = capsys.readouterr().out.splitlines()
        assert found == [f"  found {each}" for each in installations()]
        assert last.startswith("* taken ")
        assert last.endswith(f"{taken.major} by {asker}")


def test_by_default_the_projects_major_is_chosen(capsys: pytest.CaptureFixture[str], harness_config: Config) -> None:
    """The major of [tool.harness] is taken where it is installed."""
    taken = choose(harness_config.postgres)
    assert main(["postgres"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"* taken {taken}: {taken.major} by [tool.harness] postgres"


def test_what_cannot_be_done_is_said_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and the reason on standard error, and no server is shown as taken."""
    assert main(["postgres", "--pg", str(MISSING)]) == 2
    shown = capsys.readouterr()
    assert str(MISSING) in shown.err
    assert "Traceback" not in shown.err
    assert "* taken" not in shown.out


def test_a_reader_that_leaves_early_is_no_error(harness_config: Config) -> None:
    """`python -m harness … | head -0` ends with code 1, and with no traceback that somebody must read."""
    read, write = os.pipe()
    os.close(read)
    env = {**os.environ, "PYTHONPATH": str(Path(sys.modules["harness"].__path__[0]).parent)}
    env["PYTHONUNBUFFERED"] = "1"
    with os.fdopen(write, "wb") as nobody:
        ended = subprocess.run(
            [sys.executable, "-m", "harness", "postgres"],
            cwd=harness_config.root,
            env=env,
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (1, "")
