"""Errors of the tools: no traceback, but what is wrong and the remedy, and exit code 2."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.alembic_config import upgrade
from harness.config import Config
from harness.databases.databases import Database
from harness.errors import HarnessError
from tests.harness.projects import write_revision
from tools.dev import migrate
from tools.migration_errors import migration_errors


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("bench", ["--rounds", "0"], "--rounds: 0: give a whole number from 3 to 1000"),
        ("bench", ["--runs", "x"], "--runs: x: give a whole number from 1 to 1000"),
        ("bench", ["--pg", "3", "--output", "{here}/a.json"], "bench: no PostgreSQL 3 server was found"),
        (
            "bench",
            ["--output", "{here}/no/where/a.json"],
            "bench: [Errno 2] No such file or directory: '{here}/no/where'",
        ),
        ("coldstart", ["--rounds", "0"], "--rounds: 0: give a whole number from 1 to 1000"),
        ("dev", ["--rows", "-1"], "--rows: -1: give a whole number from 0 to 10000000"),
        ("dev", ["--rows", "9" * 5000], ": give a whole number from 0 to 10000000"),
        ("dev", ["--port", "70000"], "dev: port 70000 cannot be opened"),
    ],
)
def test_what_cannot_be_done_ends_with_two(
    tool: str,
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One text on standard error names the value and what is accepted; nothing has been started."""
    monkeypatch.setattr(sys, "argv", [tool, *(each.format(here=tmp_path) for each in arguments)])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(f"tools.{tool}").main()
    assert ended.value.code == 2
    assert says.format(here=tmp_path) in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


@pytest.fixture
def copy(harness_config: Config, tmp_path: Path) -> Config:
    """A copy of the project's migrations, to put mistakes in."""
    shutil.copytree(harness_config.migrations_path, tmp_path / harness_config.migrations)
    shutil.copy(harness_config.root / "pyproject.toml", tmp_path)
    return replace(harness_config, root=tmp_path)


@pytest.mark.parametrize(
    ("body", "names", "says"),
    [
        ("op.execute(", "", "SyntaxError: '(' was never closed\n  looked at: b.py, line 10: op.execute("),
        ("op.execute('SELECT  nothing')", "", 'ProgrammingError: column "nothing" does not exist'),
        ("op.execute('SELECT  nothing')", "", "statement: SELECT nothing\n  looked at: b.py, line 10: op.execute("),
        ("op.add_colum()", "", "looked at: b.py, line 10: op.add_colum()"),
        ("", "nowhere", "NameError: name 'nowhere' is not defined\n  looked at: b.py, line 6: nowhere"),
        ("", "", "Multiple head revisions are present"),
    ],
)
def test_the_line_that_failed_is_named(
    copy: Config, empty_database: Database, body: str, names: str, says: str
) -> None:
    """An error of a revision names its file and line; an error of Alembic keeps Alembic's words."""
    write_revision(copy.migrations_path / "versions", "b", None, body, names=names)
    with pytest.raises(HarnessError) as refused, migration_errors(copy):
        upgrade(copy, empty_database.url, "b" if body else "head")
    assert says in str(refused.value)
    assert str(copy.migrations_path) in str(refused.value)


def test_an_error_outside_the_migrations_is_raised_unchanged(copy: Config) -> None:
    """A bug of the tools is not reported as an error of a revision."""
    with pytest.raises(ZeroDivisionError), migration_errors(copy):
        _ = 1 / 0


def test_data_of_another_branch_are_kept(database: Database, harness_config: Config) -> None:
    """If the data are at an unknown revision, `dev` names it and the remedies."""
    with database.connect() as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(HarnessError, match=r"the data are at revision 9999, which does not exist here\n[^$]*--fresh"):
        migrate(harness_config, database)
