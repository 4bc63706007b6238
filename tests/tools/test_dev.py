"""The development server: what it refuses, and its whole life once."""

from __future__ import annotations

import os
import re
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
from tools.dev import check_port
from tools.devserver import DevServer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone() -> Iterator[Path]:
    """A copy of what the command needs, at a path with a space that the server's account can read."""
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
    return subprocess.Popen(
        [sys.executable, "-m", "tools.dev", *arguments],
        cwd=clone,
        env=environment(clone),
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


def test_a_taken_port_is_one_line_with_a_way_out() -> None:
    """A port that another program has is refused before anything starts, and --port is named."""
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(HarnessError) as refused:
        check_port(listener.getsockname()[1])
    assert re.fullmatch(r"Port \d+ cannot be had \(another program has it\)\. .*--port N", str(refused.value))


def test_a_number_that_is_no_port_is_refused_too() -> None:
    """A port above 65535 is refused in the same words, not with a traceback."""
    with pytest.raises(HarnessError, match="Port 70000 cannot be had"):
        check_port(70000)


def test_data_of_another_major_are_left_alone_and_fresh_is_named(server: DevServer) -> None:
    """Data of PostgreSQL 15 under an 18 stop the command: both versions, the place, and --fresh are on the screen."""
    server.data.mkdir()
    (server.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(HarnessError, match=r"PostgreSQL 15's, and the server is 18\.1[^$]*--fresh"):
        server.prepare(fresh=False)
    assert (server.data / "PG_VERSION").read_text() == "15\n"


def test_one_clone_runs_one_development_server(server: DevServer) -> None:
    """A second one is refused while the first holds the data, and is told which process that is."""
    with server.lock(), pytest.raises(HarnessError, match=f"here already, as process {os.getpid()},"), server.lock():
        pass
    with server.lock():
        pass


@pytest.mark.integration
@pytest.mark.slow
def test_it_serves_the_app_keeps_its_data_and_leaves_no_process(clone: Path) -> None:
    """The API is ready and has data; Ctrl-C ends all; the next run finds the same data and migrates nothing anew."""
    port = free_port()
    first = dev(clone, "--port", str(port), "--rows", "5")
    read_until(first, r"dev: seeded ([\w.]+ [1-5](, )?)*$")
    home = Path(clone / ".dev")
    assert read_until(first, r"http://127\.0\.0\.1:(\d+)/docs")[1] == str(port)
    address = read_until(first, r"database  (postgresql://\S+)")[1]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready") as answer:
        assert answer.status == 200
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
