"""Settings that are wrong stop the start with one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src"
URL = "postgresql://ada@localhost/todos"


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    """Start the app as production does, with `variables` and no other settings, until it stops."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("APP_")}
    command = [sys.executable, "-m", "uvicorn", "--factory", "sealy.main:create_app", "--port", "0"]
    environment = {**inherited, "PYTHONPATH": str(SOURCES), **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({}, "APP_DATABASE_URL"),
        ({"APP_DATABASE_URL": "localhost"}, "APP_DATABASE_URL"),
        ({"APP_DATABASE_URL": "mysql://ada:s3cret@localhost/todos"}, "APP_DATABASE_URL"),
        ({"APP_DATABASE_URL": "postgresql://ada:s3cret@localhost:port/todos"}, "APP_DATABASE_URL"),
        ({"APP_DATABASE_URL": "postgresql://ada:s3cret@localhost/todos?pool=9"}, "APP_DATABASE_URL"),
        ({"APP_DATABASE_URL_FILE": "/no/such/file"}, "APP_DATABASE_URL_FILE"),
        ({"APP_DATABASE_URL_FILE": "/"}, "APP_DATABASE_URL_FILE"),
        ({"APP_DATABASE_URL": URL, "APP_DATABASE_URL_FILE": "/no/such/file"}, "APP_DATABASE_URL_FILE"),
        ({"APP_DATABASE_URL": URL, "APP_POOL_SIZE": "0"}, "APP_POOL_SIZE"),
        ({"APP_DATABASE_URL": URL, "APP_POOL_SIZE": "many"}, "APP_POOL_SIZE"),
        ({"APP_DATABASE_URL": URL, "APP_POOL_TIMEOUT": "-1"}, "APP_POOL_TIMEOUT"),
        ({"APP_DATABASE_URL": URL, "APP_PREPARE": "perhaps"}, "APP_PREPARE"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line_that_names_it(variables: dict[str, str], name: str) -> None:
    """No traceback, no secret, and an exit status that a supervisor sees."""
    ended = start(**variables)
    assert ended.returncode == 1
    assert len(ended.stderr.strip().splitlines()) == 1
    assert name in ended.stderr
    assert "s3cret" not in ended.stderr


def test_all_wrong_settings_are_named_at_once() -> None:
    """One start shows everything there is to correct."""
    ended = start(APP_DATABASE_URL="localhost", APP_POOL_SIZE="0")
    assert {"APP_DATABASE_URL:", "APP_POOL_SIZE:"} <= set(ended.stderr.split())
