"""The app as a host runs it: the image's own command line, another process, a real signal."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import httpx

from harness.databases.databases import Database
from tests.deploy.conftest import Serve
from tests.deploy.manifests import image_command
from tests.deploy.stopping import answer_during

ENDED = (0, -signal.SIGTERM)
"""uvicorn ends its work and then sends itself the signal again, which PID 1 of a container does not feel."""


def test_a_request_in_flight_is_answered_before_the_end(serve: Serve, database: Database) -> None:
    """SIGTERM closes the listener at once, and the request that waits in Postgres still gets its answer."""
    with serve(APP_DATABASE_URL=database.as_role("app").dsn) as served:

        def stop() -> None:
            served.process.send_signal(signal.SIGTERM)
            served.process.wait(timeout=30)

        answer = answer_during(stop, served.base_url, database)
        log = served.log.read_text()
    assert answer.status_code == 404, answer.text
    assert served.process.returncode in ENDED, log
    assert "Traceback" not in log


def test_no_shell_stands_before_the_process(serve: Serve, database: Database) -> None:
    """The command of the image is the Python that serves: a shell as PID 1 would pass no signal on."""
    with serve(APP_DATABASE_URL=database.as_role("app").dsn) as served:
        shown = subprocess.check_output(["ps", "-ww", "-o", "args=", "-p", str(served.process.pid)], text=True)
    assert shown.split() == image_command()


def test_no_answer_says_which_server_it_is(serve: Serve, database: Database) -> None:
    """Neither uvicorn's name nor a version goes out."""
    with serve(APP_DATABASE_URL=database.as_role("app").dsn) as served:
        answer = httpx.get(f"{served.base_url}/health", trust_env=False)
    assert answer.status_code == 200
    assert "server" not in answer.headers


def test_a_wrong_setting_ends_the_start_with_one_line(serve: Serve, tmp_path: Path) -> None:
    """The process ends by itself, not with a traceback, and its last line names the variable."""
    try:
        with serve(APP_DATABASE_URL="nonsense"):
            raise RuntimeError("it started")
    except AssertionError:
        (log,) = tmp_path.glob("app-*.log")
    assert "wrong settings: APP_DATABASE_URL" in log.read_text().splitlines()[-1]
    assert "Traceback" not in log.read_text()
