"""libpq's environment variables do not reach a server that the harness starts."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import pq

from harness.postgres.address import Address
from harness.postgres.environment import drop_variables
from harness.postgres.installations import installations
from harness.postgres.server import start_cluster
from tests.harness.conftest import SOURCES

pytestmark = pytest.mark.integration

HARMFUL = {
    "PGSERVICE": "production",
    "PGOPTIONS": "-c default_transaction_read_only=on",
    "PGTARGETSESSIONATTRS": "standby",
    "PGCHANNELBINDING": "require",
    "PGREQUIREAUTH": "scram-sha-256",
    "PGSSLMODE": "nonsense",
    "PGREQUIREPEER": "somebody",
    "PGHOSTADDR": "192.0.2.1,192.0.2.2",
    "PGLOADBALANCEHOSTS": "nonsense",
    "PGGSSENCMODE": "nonsense",
    "PGMAXPROTOCOLVERSION": "nonsense",
    "PGTZ": "Asia/Tokyo",
    "PGDATESTYLE": "German",
    "PGGEQO": "off",
    "PGCLIENTENCODING": "LATIN1",
    "PGAPPNAME": "mine",
}
"""What ends each connection by a complete DSN, or changes what its session begins with."""

FURTHER = {
    "PGHOST": "db.invalid",
    "PGPORT": "1",
    "PGUSER": "somebody",
    "PGDATABASE": "production",
    "PGPASSWORD": "secret",
    "PGPASSFILE": "/nowhere",
    "PGSERVICEFILE": "/nowhere",
    "PGSYSCONFDIR": "/nowhere",
    "PGREQUIRESSL": "1",
    "PGCONNECT_TIMEOUT": "-1",
    "PGDATA": "/nowhere",
    "PGLOCALEDIR": "/nowhere",
}
"""What a complete DSN, or an option of a program, overrides."""

SETTINGS = ("TimeZone", "DateStyle", "client_encoding", "geqo", "application_name", "default_transaction_read_only")


@pytest.fixture(scope="module")
def server() -> Iterator[Address]:
    with contextlib.closing(start_cluster(next(installations()))) as cluster:
        yield cluster.address


def seen(server: Address) -> object:
    """Return what a session of the server begins with, or why there is none."""
    try:
        with server.connect() as connection:
            return connection.execute(
                "SELECT current_setting(n) FROM unnest(%s::text[]) n", [list(SETTINGS)]
            ).fetchall()
    except psycopg.Error as error:
        return str(error)


@pytest.mark.parametrize("name", HARMFUL)
def test_a_variable_of_libpq_changes_nothing(server: Address, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each would end the connection, or change what its session begins with; dropped, it does not."""
    usual = seen(server)
    monkeypatch.setenv(name, HARMFUL[name])
    assert seen(server) != usual
    assert drop_variables() == {name: HARMFUL[name]}
    assert seen(server) == usual


def test_only_libpqs_variables_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that this libpq knows; what a project calls alike stays."""
    known = {option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar} | set(FURTHER)
    projects = {"PGBOUNCER_HOST", "PG_DSN", "APP_PGHOST", "POSTGRES_PASSWORD"}
    for name in known | projects:
        monkeypatch.setenv(name, "value")
    assert set(drop_variables()) == known
    assert projects <= set(os.environ)


def test_a_run_sees_none_of_them(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fixtures, the app, the judge of revisions, and programs that a test starts work as without these variables."""
    for name, value in {**HARMFUL, **FURTHER}.items():
        monkeypatch.setenv(name, value)
    project.makepyfile(
        **{
            "tests/test_before_a_server_starts": """
            import os

            def test_it():
                assert not [name for name in os.environ if name.startswith("PG")]
            """,
            "tests/test_it": """
            def test_it(database, connection):
                assert connection.execute("SHOW TimeZone").fetchone() == ("UTC",)

            def test_revision(judge_revision):
                judge_revision()
            """,
            "tests/api/test_api": "def test_it(api):\n    assert api.get('/items').json() == []",
        }
    )
    folders = ("tests/test_before_a_server_starts.py", "tests/test_it.py", "tests/api")
    project.runpytest_inprocess(*folders).assert_outcomes(passed=4)


def test_a_command_sees_none_of_them(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m harness migrations` traces on its own server."""
    command = [sys.executable, "-m", "harness", "migrations"]
    with Path("pyproject.toml").open("a") as file:
        file.write('\n[tool.alembic]\nscript_location = "%(here)s/migrations"\n')
    environment = {**os.environ, **HARMFUL, **FURTHER, "PYTHONPATH": f"{SOURCES}:.", "XDG_CACHE_HOME": "cache"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert "0001" in done.stdout


def test_an_external_server_keeps_them(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, server: Address
) -> None:
    """They may be how it is reached; a test's own server does not see them, and later tests of the run do again."""
    monkeypatch.setenv("PGAPPNAME", "mine")
    project.makepyfile(
        **{
            "tests/test_it": """
            import pytest

            def shown(connection):
                return connection.execute("SHOW application_name").fetchone()[0]

            def test_first(connection):
                assert shown(connection) == "mine"

            @pytest.mark.own_cluster
            def test_on_a_server_for_this_test(connection):
                assert shown(connection) == ""

            def test_last(connection):
                assert shown(connection) == "mine"
            """
        }
    )
    options = (
        f"--postgresql-host={server.host}",
        f"--postgresql-port={server.port}",
        f"--postgresql-user={server.user}",
    )
    project.runpytest_inprocess(*options).assert_outcomes(passed=3)


def test_a_dsn_keeps_them(project: pytest.Pytester, server: Address) -> None:
    """`python -m harness schema` reaches the database that PGHOST and its like name."""
    places = {"PGHOST": server.host, "PGPORT": str(server.port), "PGUSER": server.user}
    command = [sys.executable, "-m", "harness", "schema", "dbname=postgres"]
    environment = {**os.environ, **places, "PYTHONPATH": str(SOURCES)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
