"""`nox -s bench` removes what it creates, even if it is interrupted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.bench_contenders import scratch_directory

ROOT = Path(__file__).resolve().parents[2]


def test_an_interrupted_removal_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a large directory is removed leaves no directory."""

    def remove(name: str, *, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            raise KeyboardInterrupt
        removed(name, ignore_errors=ignore_errors)

    removed = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", remove)
    with pytest.raises(KeyboardInterrupt), scratch_directory("peer-", tmp_path) as name:
        (Path(name) / "data").mkdir()
    assert not [*tmp_path.iterdir()]


@pytest.mark.integration
@pytest.mark.slow
def test_sigterm_stops_the_servers_and_removes_all_files(tmp_path: Path) -> None:
    """On SIGTERM no server and no temporary file is left."""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT / "src")}
    options = ["--rounds", "3", "--runs", "1", "--output", str(tmp_path / "a.json")]
    command = [sys.executable, "-m", "tools.bench", *options]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not [*tmp_path.glob("peer-*/data/postmaster.pid")] and time.monotonic() < deadline:
            assert process.poll() is None, process.communicate()
        process.terminate()
        process.communicate()
    assert process.returncode == 130
    assert not [*tmp_path.iterdir()]
