"""Errors of the tools: no traceback, but what is wrong and the remedy, and exit code 2."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path

import pytest

from harness.config import Config
from harness.databases.databases import Database
from harness.errors import HarnessError
from tools.dev import migrate


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
        ("dev", ["--port", "70000"], "--port: 70000: give a whole number from 1 to 65535"),
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


def test_data_of_another_branch_are_kept(database: Database, harness_config: Config) -> None:
    """If the data are at an unknown revision, `dev` names it and the remedies."""
    with database.connect() as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(HarnessError, match=r"the data are at revision 9999, which does not exist here\n[^$]*--fresh"):
        migrate(harness_config, database)
