"""Who runs the server, and that this account can read the programs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.postgres.account import Account, readable_programs, server_account
from harness.postgres.find import installations


def test_programs_in_a_closed_home_are_copied_with_their_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root's clone below a closed home still runs the wheel's server: the copy starts where the account can read it."""
    wheel = next(found for found in installations() if "wheel" in found.source)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(Account, "reaches", lambda self, path, write=False: path.is_relative_to(tmp_path))
    copied = readable_programs(wheel.bindir, wheel.version, server_account())
    assert copied.is_relative_to(tmp_path)
    shown = subprocess.run([copied / "initdb", "--version"], capture_output=True, text=True, check=True)
    assert wheel.version in shown.stdout


def test_programs_that_can_be_read_stay_where_they_are() -> None:
    """Nothing is copied without need."""
    found = installations()[0]
    assert readable_programs(found.bindir, found.version, server_account()) == found.bindir
