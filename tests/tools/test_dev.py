"""The development server: its errors, and one complete run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.postgres.installations import Installation
from harness.postgres.os_account import server_account
from tests.harness.postgres.test_environment import FURTHER, HARMFUL
from tools.dev import check_port
from tools.devserver import DevServer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone() -> Iterator[Path]:
    """The files that the command needs, at a path with a space that the server's account can read."""
    place = Path(tempfile.mkdtemp(prefix="dev test "))
    place.chmod(0o755)
    for name in ("src", "tools", "migrations", "deploy"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", place)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def server(tmp_path: Path) -> DevServer:
    """A server that is never started."""
    return DevServer(tmp_path, tmp_path / "socket", Installation(Path("/nowhere"), "18.1", "test"), server_account())


def environment(clone: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(clone / "src"), "PYTHONUNBUFFERED": "1"}


def dev(clone: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start it in a shell that exports all of libpq's variables."""
    return subprocess.Popen(
        [sys.executable, "-m", "tools.dev", *arguments],
        cwd=clone,
        env={**environment(clone), **HARMFUL, **FURTHER},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """Read the output up to a line that matches; the whole output fails the test when none does."""
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if found := re.search(pattern, line):
            return found
    raise AssertionError("".join(lines))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_port_in_use_is_rejected() -> None:
    """The error names the process that uses the port, its command, and a port that is free."""
    script = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        port = int(other.stdout.readline())
        with pytest.raises(HarnessError) as refused:
            check_port(port)
        other.communicate("\n")
    assert refused.value.what == f"port {port} is in use by process {other.pid}: {shlex.join(command)}"
    offered = re.fullmatch(r"choose another port: python3 run\.py dev --port (\d+)", refused.value.remedy[0])
    assert offered
    check_port(int(offered[1]))


def test_a_port_of_another_user_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the process cannot be seen, the error says so."""
    monkeypatch.setattr("psutil.process_iter", list)
    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(HarnessError, match="this user cannot see"):
        check_port(listening.getsockname()[1])


def test_data_of_another_major_are_kept(server: DevServer) -> None:
    """Data of PostgreSQL 15 stop a server 18: the error names both versions, the place and --fresh."""
    server.data.mkdir()
    (server.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(HarnessError, match=r"PostgreSQL 15, but the server is 18\.1[^$]*--fresh"):
        server.prepare(fresh=False)
    assert (server.data / "PG_VERSION").read_text() == "15\n"


def test_one_clone_runs_one_development_server(server: DevServer) -> None:
    """While the first one runs, a second one gets an error that names its process."""
    with server.lock(), pytest.raises(HarnessError, match=f"already runs, in process {os.getpid()}\n"), server.lock():
        pass
    with server.lock():
        pass


@pytest.mark.integration
@pytest.mark.slow
def test_it_serves_the_app_keeps_its_data_and_leaves_no_process(clone: Path) -> None:
    """The API is ready and has data, Ctrl-C stops all processes, and the next run uses the same data."""
    port = free_port()
    first = dev(clone, "--port", str(port), "--rows", "5")
    read_until(first, r"dev: seeded ([\w.]+ [1-5](, )?)*$")
    home = Path(clone / ".dev")
    assert read_until(first, r"http://127\.0\.0\.1:(\d+)/docs")[1] == str(port)
    address = read_until(first, r"database  \S*psql '(postgresql://\S+)'")[1]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready") as answer:
        assert answer.status == 200
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
        assert answer.url.endswith("/docs")
        assert '<script src="/dev/docs/' in answer.read().decode()
    traffic = [sys.executable, "-m", "harness", "traffic", address]
    shown = subprocess.run(traffic, cwd=clone, env=environment(clone), capture_output=True, text=True, check=False)
    assert "FROM alembic_version" in shown.stdout, shown.stderr
    assert "roles" not in shown.stdout
    assert (home / "data" / "postmaster.pid").exists()
    first.send_signal(signal.SIGINT)
    rest, _ = first.communicate(timeout=30)
    assert first.returncode == 0, rest
    assert not (home / "data" / "postmaster.pid").exists()

    second = dev(clone, "--port", str(port), "--rows", "7")
    read_until(second, r"--rows changes nothing")
    read_until(second, r"/docs")
    second.send_signal(signal.SIGTERM)
    rest, _ = second.communicate(timeout=30)
    assert second.returncode == 0
    assert "seeding" not in rest
    with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.1", port)):
        pass
