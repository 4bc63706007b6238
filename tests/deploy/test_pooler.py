"""The project behind PgBouncer: migrations meet one session or refuse, and a wrong APP_PREPARE is found at once."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from harness.databases.databases import Database as Fresh
from harness.errors import HarnessError
from harness.postgres.address import Address
from harness.postgres.pgbouncer import find_pgbouncer, pgbouncer
from harness.postgres.roles import LOGINS
from sealy.db.engine import Database
from sealy.settings import Settings
from tests.deploy.conftest import ROOT, Serve, free_port

LOST = "a pooler in front of the database loses prepared statements: set APP_PREPARE=false"

PATIENCE = 100
"""Seconds after which a migration that waits is killed; PgBouncer lets a client wait for a session for 120."""

LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"

TRANSACTION = {"pool_mode": "transaction"}
SESSION = {"pool_mode": "session"}
TRACKED = {**TRANSACTION, "max_prepared_statements": "100"}


@pytest.fixture(scope="module", autouse=True)
def version() -> tuple[int, int]:
    """PgBouncer's version; the tests are skipped, and say so, where it is not installed."""
    try:
        program = find_pgbouncer()
    except HarnessError as error:
        pytest.skip(f"needs pgbouncer, which is not here ({error.remedy[0]})")
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)", shown)
    assert found, shown
    return int(found[1]), int(found[2])


def untracked(version: tuple[int, int]) -> dict[str, str]:
    """Transactions are pooled, prepared statements are not followed: before 1.21 that is all there is."""
    return TRANSACTION if version < (1, 21) else {**TRANSACTION, "max_prepared_statements": "0"}


def tracked(version: tuple[int, int]) -> dict[str, str]:
    """Transactions are pooled, and prepared statements are followed, with DEALLOCATE ALL."""
    if version < (1, 22):
        pytest.skip(
            f"needs pgbouncer 1.22 or newer, which follows prepared statements; {version[0]}.{version[1]} is here"
        )
    return TRACKED


MODES: dict[str, Callable[[tuple[int, int]], dict[str, str]]] = {
    "sessions": lambda _: SESSION,
    "transactions": tracked,
    "transactions without prepared statements": untracked,
}


SUITE = """
import os
import sys

import pytest

class Setting:
    def pytest_configure(self):  # after tests/conftest.py, which drops what the shell exports
        os.environ["APP_PREPARE"] = sys.argv[1]

sys.exit(pytest.main(sys.argv[2:], plugins=[Setting()]))
"""
"""Runs pytest with a setting that the project does not have."""


def pooled(fresh: Fresh, settings: dict[str, str]) -> contextlib.AbstractContextManager[Address]:
    """Run PgBouncer in front of a database's server."""
    return pgbouncer(fresh.server, [fresh.as_role(role).address for role in LOGINS], settings)


def migrate(dsn: str) -> subprocess.CompletedProcess[str]:
    """Upgrade as a deployment does."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "APP_DATABASE_URL": dsn}
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )


def dsn(address: Address, fresh: Fresh) -> str:
    """The database through the pooler, as the role of `fresh`."""
    return address.seen_by(fresh.address.user, fresh.address.password).dsn(fresh.name)


@pytest.mark.parametrize(
    "more",
    [{}, {"server_round_robin": "1"}, {"default_pool_size": "1"}],
    ids=["the last server first", "each server in turn", "a single server"],
)
def test_migrations_refuse_a_pooler_of_transactions(empty_database: Fresh, more: dict[str, str]) -> None:
    """One sentence and no traceback, before anything is changed, locked or set."""
    with pooled(empty_database, TRANSACTION | more) as address:
        ended = migrate(dsn(address, empty_database))
        with empty_database.connect() as onlooker:
            assert onlooker.execute(LOCKS).fetchone() == (0,)
            assert onlooker.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
    assert (ended.returncode, ended.stderr) == (255, ""), ended.stderr
    assert ended.stdout.startswith(
        "FAILED: the database is behind a pooler that gives each transaction another session"
    )
    assert ended.stdout.count("\n") == 1


def test_migrations_refuse_several_poolers_that_share_an_address(empty_database: Fresh) -> None:
    """Two processes of PgBouncer listen on one port, and the kernel chooses which of them a connection meets."""
    port = str(free_port())
    settings = {**TRANSACTION, "listen_addr": "127.0.0.1", "listen_port": port, "so_reuseport": "1"}
    with pooled(empty_database, settings) as address, pooled(empty_database, settings):
        shared = Address("127.0.0.1", int(port), address.user)
        ended = migrate(dsn(shared, empty_database))
    assert ended.stdout.startswith("FAILED: the database is behind a pooler"), ended.stderr


@pytest.mark.parametrize(
    "more",
    [{}, {"server_reset_query": ""}, {"default_pool_size": "1"}],
    ids=["sessions are reset", "sessions are not reset", "a single server"],
)
def test_migrations_pass_a_pooler_of_sessions(empty_database: Fresh, more: dict[str, str]) -> None:
    """The next client of the session finds no lock there, and the lock_timeout of its role."""
    with pooled(empty_database, SESSION | more) as address:
        ended = migrate(dsn(address, empty_database))
        assert ended.returncode == 0, ended.stdout + ended.stderr
        with psycopg.connect(dsn(address, empty_database)) as client, empty_database.connect() as direct:
            shown = [each.execute("SHOW lock_timeout").fetchone() for each in (client, direct)]
            assert shown[0] == shown[1]
            assert client.execute(LOCKS).fetchone() == (0,)


@contextlib.contextmanager
def app(address: Address, fresh: Fresh, *, prepare: bool, pool_size: int) -> Iterator[Database]:
    """The app's pool behind a pooler."""
    url = SecretStr(dsn(address, fresh.as_role("app")))
    database = Database(Settings(database_url=url, prepare=prepare, pool_size=pool_size))
    yield database
    database.writes.dispose()


@pytest.mark.parametrize("pool_size", [1, 5])
@pytest.mark.parametrize("mode", ["transactions without prepared statements", "sessions that are not reset"])
def test_a_pooler_that_loses_statements_is_found(
    database: Fresh, version: tuple[int, int], mode: str, pool_size: int
) -> None:
    """Each time that the app is asked whether it is ready, until APP_PREPARE is false."""
    settings = untracked(version) if mode in MODES else {**SESSION, "server_reset_query": ""}
    with pooled(database, settings) as address:
        with app(address, database, prepare=True, pool_size=pool_size) as prepares:
            assert [prepares.why_not_ready() for _ in range(8)] == [LOST] * 8
        with app(address, database, prepare=False, pool_size=pool_size) as ready:
            assert [ready.why_not_ready() for _ in range(8)] == [None] * 8


@pytest.mark.parametrize("pool_size", [1, 5])
@pytest.mark.parametrize("mode", ["sessions", "transactions"])
def test_a_pooler_that_keeps_statements_is_ready(
    database: Fresh, version: tuple[int, int], mode: str, pool_size: int
) -> None:
    """Sessions are pooled, or statements are followed: no false alarm, with fewer servers than connections too."""
    settings = SESSION if mode == "sessions" else {**tracked(version), "default_pool_size": "1"}
    with pooled(database, settings) as address:
        for _ in range(2):
            with app(address, database, prepare=True, pool_size=pool_size) as prepares:
                assert [prepares.why_not_ready() for _ in range(8)] == [None] * 8


def test_a_wrong_app_prepare_is_in_the_log_and_in_ready(
    database: Fresh, version: tuple[int, int], serve: Serve
) -> None:
    """The gate of a deployment stays closed, and both say which variable to set."""
    with pooled(database, untracked(version)) as address:
        url = dsn(address, database.as_role("app"))
        with serve(APP_DATABASE_URL=url) as served:
            answer = httpx.get(f"{served.base_url}/ready", trust_env=False)
            assert (answer.status_code, answer.json()["detail"]) == (503, LOST)
            assert served.log.read_text().count(f"not ready: {LOST}") == 1
        with serve(APP_DATABASE_URL=url, APP_PREPARE="false") as served:
            assert httpx.get(f"{served.base_url}/ready", trust_env=False).status_code == 200


@pytest.mark.nightly
@pytest.mark.parametrize("major", [15, 18])
@pytest.mark.parametrize("mode", MODES)
def test_the_api_suite_passes_behind_a_pooler(version: tuple[int, int], mode: str, major: int) -> None:
    """Every query is still judged: the observer is between the app and PgBouncer."""
    settings = MODES[mode](version)
    options = [f"--pgbouncer={name}={value}" for name, value in settings.items()]
    command = [sys.executable, "-c", SUITE, str("without" not in mode), "tests/api", "-m", "not nightly"]
    command += ["-p", "no:cacheprovider", f"--pg={major}", *options]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr
