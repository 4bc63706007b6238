"""However a run ends, it leaves no directory, process or shared memory."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import psycopg
import pytest

from harness.config import Config
from harness.errors import HarnessError
from harness.postgres import run_directory as runs
from harness.postgres.installations import installations
from harness.postgres.os_account import server_account
from harness.postgres.run_directory import open_run_directory, release_memory, remove, run_root, sweep
from harness.postgres.server import start_cluster

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PROMISED = 2.0
"""Seconds after the end of a run within which everything of it is gone, on a machine that does nothing else."""

PATIENCE = 30.0
"""The same on any machine."""

ENDS = ["normal", "interrupt", "kill", "server", "crash"]
"""How a run ends: `server` kills the server outright and then the run, `crash` ends the background thread."""

TEST = """
    import os
    import time
    from pathlib import Path

    def test_it(cluster, database, harness_run):
        memory = (cluster.run.data / "postmaster.pid").read_text().splitlines()[6].split()[1]
        Path("seen.part").write_text(f"{cluster.run.path} {memory}")
        Path("seen.part").rename("seen")
        if os.environ["END"] == "crash":
            harness_run.databases.pool.resetter.administrator = None
        elif os.environ["END"] != "normal":
            time.sleep(600)

    def test_another(database, harness_run):
        until = time.monotonic() + 60
        while os.environ["END"] == "crash" and not harness_run.databases.failure and time.monotonic() < until:
            time.sleep(0.01)
"""


@pytest.fixture
def project(tmp_path: Path, trial: Config) -> Path:
    """A project with one test, which says where its cluster is and then waits to be killed."""
    shutil.copytree(trial.root, tmp_path, dirs_exist_ok=True)
    (tmp_path / "test_it.py").write_text(dedent(TEST))
    return tmp_path


def _start(project: Path, end: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": str(Path(__file__).parents[3] / "src"),
        "END": end,
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "pytest_postgresql.plugin", "-p", "harness.plugin"]
    return subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.PIPE, start_new_session=True)


def _processes(path: str) -> list[str]:
    shown = subprocess.run(["ps", "-ww", "-eo", "args="], capture_output=True, text=True, check=True)
    return [line for line in shown.stdout.splitlines() if path in line]


def _left(path: str, memory: str) -> list[str]:
    """What is there of a run: its directory, processes that were started with it, its shared memory."""
    lines = Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]
    segments = [f"segment {memory}" for line in lines if line.split()[1] == memory]
    return [*map(str, Path(path).parent.glob(Path(path).name)), *_processes(path), *segments]


def _end(project: Path, end: str, patience: float = PATIENCE) -> None:
    """Run pytest, end it that way, and wait until nothing of it is left."""
    process = _start(project, end)
    while not (project / "seen").exists():
        if process.poll() is not None:
            pytest.fail(process.communicate()[0].decode())
        time.sleep(0.01)
    path, memory = (project / "seen").read_text().split()
    (project / "seen").unlink()
    if end == "interrupt":
        os.killpg(process.pid, signal.SIGINT)
    elif end == "kill":
        process.kill()
    elif end == "server":
        pid = int(Path(path, "data", "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, signal.SIGKILL)
        process.kill()
    shown = process.communicate(timeout=60)[0].decode()
    assert ("databases were no longer made ahead" in shown) is (end == "crash"), shown
    deadline = time.monotonic() + patience
    while left := _left(path, memory):
        assert time.monotonic() < deadline, f"{left} left {patience} s after the end"
        time.sleep(0.01)


@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_left_of_a_run(project: Path, end: str) -> None:
    """Directory, processes and shared memory are gone after a normal end, Ctrl-C, kill -9, a crash of the thread."""
    _end(project, end)


@pytest.mark.nightly
@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_left_of_ten_runs(project: Path, end: str) -> None:
    """The same within the time that the documentation promises, ten times."""
    for _ in range(10):
        _end(project, end, PROMISED)


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The only place for clusters, with a name that needs quoting everywhere."""
    with tempfile.TemporaryDirectory(prefix="a b'\"$x ", dir=runs.BASES[0] if runs.BASES[0].exists() else None) as name:
        Path(name).chmod(0o755)
        monkeypatch.setattr(runs, "BASES", (Path(name),))
        monkeypatch.setattr(tempfile, "gettempdir", lambda: name)
        yield Path(name)


def test_a_place_with_spaces_and_quotes_is_one(base: Path) -> None:
    """A server starts, answers and ends in a directory of any name but one with a comma."""
    cluster = start_cluster(next(installations()))
    assert cluster.run.path.is_relative_to(base)
    with psycopg.connect(host=cluster.host, user="postgres", dbname="postgres") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    cluster.close()
    assert not cluster.run.path.exists()


def test_a_strict_umask_keeps_nobody_out(base: Path) -> None:
    """Root's runs are served by another account, which must reach what root makes."""
    before = os.umask(0o077)
    try:
        cluster = start_cluster(next(installations()))
    finally:
        os.umask(before)
    assert (cluster.run.path.parent.stat().st_mode & 0o777, cluster.run.path.stat().st_mode & 0o777) == (0o755, 0o755)
    cluster.close()


def test_a_run_directory_renamed_meanwhile_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs start at the same time: one may rename what another has listed."""
    monkeypatch.setattr(Path, "iterdir", lambda self: iter([self / ".made", self / "gone"]))
    assert list(sweep(tmp_path)) == []


def test_a_dead_run_is_swept_and_a_living_one_is_not(base: Path) -> None:
    """The lock decides: a run whose owner lives keeps its directory, whatever its age."""
    cluster = start_cluster(next(installations()))
    root = cluster.run.path.parent
    assert list(sweep(root)) == []
    cluster.close(keep=True)
    assert list(sweep(root)) == [cluster.run.path]
    assert cluster.process is not None
    reaper = threading.Thread(target=cluster.process.wait)  # a child that nobody waits for never seems gone
    reaper.start()
    remove(cluster.run.path)
    reaper.join()
    assert list(root.iterdir()) == []


def test_two_runs_at_once_share_nothing(base: Path) -> None:
    """Each has its own directory and server."""
    account = server_account()
    first, second = open_run_directory(account), open_run_directory(account)
    assert first.path != second.path
    assert first.path.exists()
    first.close()
    assert second.path.exists()
    second.close()


def test_no_room_is_an_error_that_names_places_and_bytes(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no place has room, each is named with what it has and what is needed."""
    monkeypatch.setattr(runs, "ROOM", 2**60)
    with pytest.raises(HarnessError) as caught:
        run_root(server_account())
    assert str(base) in str(caught.value)
    assert "MB free, 1099511627776 MB needed" in str(caught.value)
    assert "remedy" in str(caught.value)


def test_a_path_that_no_client_can_name_is_skipped(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names a comma, a path too long for a socket, and a directory of another account."""
    comma, long = base / "a,b", base / ("x" * 90)
    for place in (comma, long):
        place.mkdir()
    monkeypatch.setattr(runs, "BASES", (comma, long))
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(comma))
    with pytest.raises(HarnessError) as caught:
        run_root(server_account())
    assert "comma" in str(caught.value)
    assert "too long" in str(caught.value)


def test_a_directory_that_records_no_memory_is_no_error(tmp_path: Path) -> None:
    """There is no postmaster.pid, or it has another text."""
    release_memory(tmp_path)
    (tmp_path / "postmaster.pid").write_text("12\nnothing\n")
    release_memory(tmp_path)


@pytest.mark.parametrize("named", [True, False])
def test_a_pooler_of_a_dead_run_is_ended(tmp_path: Path, named: bool) -> None:
    """The sweep may be faster than the directory's watchdog: it ends what the file `pid` names, if it runs there."""
    data = tmp_path / "run" / "data"
    data.mkdir(parents=True)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", *[str(data)] * named])
    (data.parent / "pid").write_text(f"{process.pid}\n")
    reaper = threading.Thread(target=process.wait)  # without it, a child that has ended stays
    reaper.start()
    remove(data.parent)
    reaper.join(timeout=5 if named else 0)
    assert reaper.is_alive() is not named
    assert not data.parent.exists()
    process.kill()
    reaper.join()
