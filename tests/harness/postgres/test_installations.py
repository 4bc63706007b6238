"""Which Postgres a run uses, and the error if none fits."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.postgres import installations as find
from harness.postgres.installations import choose, installations, psql_command, read_installation


def _programs(directory: Path, version: str, *names: str) -> Path:
    """A directory of programs that say they are PostgreSQL `version`."""
    directory.mkdir(parents=True)
    for name in names or ("postgres", "initdb"):
        (directory / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (directory / name).chmod(0o755)
    return directory


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on PATH, and servers only below `tmp_path`."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(find, "WELL_KNOWN", (f"{tmp_path}/pg/*/bin",))
    monkeypatch.setattr(find, "find_spec", lambda name: None)
    return tmp_path


def test_the_server_on_path_comes_first(machine: Path) -> None:
    """What a user put on PATH is taken before what a package put in its place; each server is listed once."""
    on_path = _programs(machine / "bin", "17.1")
    _programs(machine / "pg" / "17" / "bin", "17.9")
    assert [each.version for each in installations()] == ["17.1", "17.9"]
    assert choose(17).bindir == on_path


def test_the_major_that_is_asked_for_wins(machine: Path) -> None:
    """--pg beats the project's default, and the newest place of a major comes first."""
    for version in ("15.4", "16.2", "18beta1"):
        _programs(machine / "pg" / version / "bin", version)
    assert choose(16).version == "16.2"
    assert choose(16, asked=15).version == "15.4"
    assert choose(18).major == 18


def test_a_place_with_clients_only_is_no_server(machine: Path) -> None:
    """psql or pg_config alone, a broken program, and a missing directory are skipped."""
    _programs(machine / "pg" / "a" / "bin", "17.1", "psql", "pg_config")
    broken = _programs(machine / "pg" / "b" / "bin", "17.1")
    (broken / "postgres").write_text("not a program")
    silent = _programs(machine / "pg" / "c" / "bin", "17.1")
    (silent / "postgres").write_text("#!/bin/sh\nexit 1\n")
    assert list(installations()) == []
    assert read_installation(machine / "nowhere", "test") is None


def test_nothing_found_names_places_and_remedies(machine: Path) -> None:
    """The error says what is asked for and by whom, what was found, where it was looked for, and what to do.

    An option is named only to who has used it: not every command has it.
    """
    _programs(machine / "pg" / "15" / "bin", "15.4")
    with pytest.raises(HarnessError) as caught:
        choose(18)
    text = str(caught.value)
    assert text.startswith("no PostgreSQL 18 server was found ([tool.harness] postgres asks for it)\n")
    for part in ("found 15.4 in", "looked at: PATH, pg_config", f"{machine}/pg", "another: postgres = 15 in [tool."):
        assert part in text
    assert "--p" not in text
    with pytest.raises(HarnessError, match=r"--pg asks for it(.|\n)*take another: --pg 15"):
        choose(18, asked=17)
    with pytest.raises(HarnessError, match="no PostgreSQL 0 server"):
        choose(15, asked=0)


def test_a_named_program_must_be_a_server_of_that_major(machine: Path) -> None:
    """--postgresql-exec takes a pg_ctl or postgres; a wrong path or a major against --pg is said."""
    named = _programs(machine / "own", "16.2", "postgres", "initdb", "pg_ctl")
    assert choose(18, executable=str(named / "pg_ctl")).version == "16.2"
    with pytest.raises(HarnessError, match="no Postgres server is there"):
        choose(18, executable=str(machine / "pg_ctl"))
    with pytest.raises(HarnessError, match=r"is PostgreSQL 16\.2, but --pg asks for 15"):
        choose(18, asked=15, executable=str(named / "pg_ctl"))


@pytest.mark.integration
def test_every_server_that_is_found_runs() -> None:
    """What is listed says its version when it is run."""
    for installation in installations():
        shown = subprocess.run(
            [installation.program("postgres"), "--version"], capture_output=True, text=True, check=True
        )
        assert installation.version in shown.stdout


def test_a_database_is_opened_by_a_psql_that_exists(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own, quoted for the shell, else that on PATH, else another server's; without one, the address."""
    assert psql_command("postgresql://a@/b?host=/c&port=1", machine) == "'postgresql://a@/b?host=/c&port=1'"
    _programs(machine / "pg" / "a" / "bin", "17.1", "postgres", "initdb", "psql")
    assert psql_command("b", machine) == f"{machine}/pg/a/bin/psql b"
    _programs(machine / "path", "", "psql")
    monkeypatch.setenv("PATH", str(machine / "path"))
    assert psql_command("b", machine) == "psql b"
    own = _programs(machine / "my programs", "18.1", "psql")
    assert psql_command("b", own) == f"'{own}/psql' b"
