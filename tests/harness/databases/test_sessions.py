"""A connection that was opened ahead is like a new one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, ClassVar

import psycopg
import pytest

from harness.databases.clones import Cloner
from harness.databases.databases import Databases
from harness.databases.pool import AHEAD, PATIENCE
from harness.postgres.address import Address

pytestmark = pytest.mark.integration

SESSIONS = "SELECT pid, query FROM pg_stat_activity WHERE datname LIKE %s AND usename <> current_user"
"""Of the tests' role: the session of a reset may take some milliseconds to end."""


@pytest.fixture
def databases(databases: Databases) -> Databases:
    """Databases whose tests have asked for a connection so far: on those that are ready a session is open."""
    deadline = time.monotonic() + PATIENCE
    while len(sessions(databases)) < AHEAD and time.monotonic() < deadline:
        use(databases, times=1)
    return databases


def use(databases: Databases, *, times: int, connected: bool = True) -> None:
    """Run that many tests which ask for a connection, or for a database."""
    for _ in range(times):
        fresh = databases.create(migrated=True, connected=connected)
        if connected:
            databases.connect(fresh).close()
        databases.drop(fresh)


def sessions(databases: Databases, name: str = "%") -> list[tuple[int, str]]:
    """Process id and last statement of each session on the database `name`."""
    with databases.server.connect() as connection:
        return connection.execute(SESSIONS, [name]).fetchall()


def test_the_connection_is_there_already_and_was_not_used(databases: Databases) -> None:
    """It is open before the test asks for it, has run no statement, and belongs to the role of any other."""
    fresh = databases.create(migrated=True, connected=True)
    [(pid, query)] = sessions(databases, fresh.name)
    assert query == ""
    with databases.connect(fresh) as given, fresh.connect() as other:
        assert given.info.backend_pid == pid != other.info.backend_pid
        assert not given.autocommit
        users = "SELECT session_user, current_user"
        assert given.execute(users).fetchone() == other.execute(users).fetchone()
    databases.drop(fresh)


def test_a_test_of_its_database_meets_no_session(databases: Databases) -> None:
    """Who asks for a database, not for a connection, may count its sessions and change what the next begins with."""
    fresh = databases.create(migrated=True)
    assert sessions(databases, fresh.name) == []
    with databases.server.connect(autocommit=True) as outside:
        outside.execute(f"ALTER DATABASE {fresh.name} SET work_mem TO '7MB'".encode())
    with fresh.connect() as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("7MB",)
    databases.drop(fresh)


@pytest.mark.parametrize(
    "look",
    [
        lambda fresh: fresh.name,
        lambda fresh: fresh.server,
        lambda fresh: fresh.dsn,
        lambda fresh: fresh.url,
        lambda fresh: fresh.engine,
        lambda fresh: fresh.as_role("superuser").dsn,
    ],
    ids=["name", "server", "dsn", "url", "engine", "as_role"],
)
def test_an_attribute_of_a_database_ends_no_session(databases: Databases, look: Callable[[Any], Any]) -> None:
    """The session that was opened ahead lives on, and is what the test gets."""
    fresh = databases.create(migrated=True, connected=True)
    before = sessions(databases, fresh.name)
    look(fresh)
    assert sessions(databases, fresh.name) == before != []
    databases.connect(fresh).close()
    databases.drop(fresh)


def test_a_session_that_the_server_has_ended_is_not_given(databases: Databases) -> None:
    """Then the connection is made when it is asked for."""
    fresh = databases.create(migrated=True, connected=True)
    with databases.server.connect(autocommit=True) as outside:
        for pid, _ in sessions(databases, fresh.name):
            outside.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with databases.connect(fresh) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    databases.drop(fresh)


def test_no_session_is_opened_for_tests_that_ask_for_databases(databases: Databases) -> None:
    """A suite that takes addresses pays for none."""
    use(databases, times=8, connected=False)
    assert sessions(databases) == []


def test_a_server_without_room_for_a_session_gives_a_database_all_the_same(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening ahead is a convenience: where it fails, the connection is made when it is asked for."""
    template = databases.template(migrated=True)
    monkeypatch.setattr(template, "visitor", template.visitor.seen_by("nobody"))
    use(databases, times=4)
    assert databases.failure == ""
    with pytest.raises(psycopg.OperationalError):
        template.visitor.connect()


def test_no_session_begins_with_a_running_tests_settings_of_roles(databases: Databases) -> None:
    """While a test has changed a role, nothing is opened ahead for the next one."""
    template, cloner = databases.template(migrated=True), databases.pool.foreground
    with databases.server.connect(autocommit=True) as outside:
        outside.execute("ALTER ROLE trial_migrator SET work_mem TO '7MB'")
        assert cloner.open_session(cloner.clone(template)).session is None
        outside.execute("ALTER ROLE trial_migrator RESET work_mem")
    connected = cloner.open_session(cloner.clone(template))
    assert connected.session
    connected.session.close()


class Lost(Cloner):
    """A cloner whose server ends before it can say what roles are like."""

    def _shared(self) -> str:
        raise psycopg.OperationalError("the server is gone")


class Watched(Address):
    """An address that remembers the last connection made to it; the background threads have their own."""

    made: ClassVar[psycopg.Connection[Any] | None] = None

    def connect(self, dbname: str | None = None, **options: Any) -> psycopg.Connection[Any]:
        """A connection as any other."""
        type(self).made = made = Address.connect(self, dbname, **options)
        return made


def test_a_session_is_closed_when_the_server_ends_before_it_is_ready(databases: Databases) -> None:
    """The garbage collector never meets an open connection."""
    foreground, template = databases.pool.foreground, databases.template(migrated=True)
    watched = Watched(**asdict(template.visitor))
    clone = foreground.clone(replace(template, visitor=watched))
    lost = Lost(foreground.administrator, foreground.prefix, foreground.numbers, reads_wal=True)
    assert lost.open_session(clone).session is None
    assert watched.made
    assert watched.made.closed
