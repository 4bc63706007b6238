"""Sessions opened ahead: a test's first connection is there already, and is as a new one would be."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any, ClassVar

import psycopg
import pytest

from harness.config import Config
from harness.databases.clones import Cloner
from harness.databases.databases import Database, Databases
from harness.databases.prepared import databases_on
from harness.postgres.address import Address
from harness.postgres.installations import installations
from harness.postgres.server import Cluster, start_cluster

pytestmark = pytest.mark.integration

SESSIONS = "SELECT pid, query FROM pg_stat_activity WHERE datname = %s AND usename <> current_user"
"""Of the tests' role: the session of a reset may take some milliseconds to end."""


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """A server for this module's databases."""
    with contextlib.closing(start_cluster(next(installations()))) as cluster:
        yield cluster


@pytest.fixture
def databases(server: Cluster, trial: Config) -> Iterator[Databases]:
    """Databases whose tests have begun with a session so far, so that the next ones are opened ahead."""
    with contextlib.closing(databases_on(server, trial)) as made:
        for _ in range(3):  # what was made before the first one came back has none
            _use(made, Database.connect)
        yield made
        made.clear()


def _use(databases: Databases, deed: Callable[[Database], Any]) -> None:
    fresh = databases.create(migrated=True)
    with contextlib.suppress(AttributeError):
        deed(fresh).close()
    databases.drop(fresh)


def _sessions(databases: Databases, name: str) -> list[tuple[int, str]]:
    with databases.server.connect() as connection:
        return connection.execute(SESSIONS, [name]).fetchall()


def _called(fresh: Database) -> str:
    """Its name, without asking for it."""
    return fresh._name


def test_the_first_connection_is_there_already_and_nobody_used_it(databases: Databases) -> None:
    """It is open before the test asks, has run no statement, and is what the first `connect` gives."""
    fresh = databases.create(migrated=True)
    [(pid, query)] = _sessions(databases, _called(fresh))
    assert query == ""
    with fresh.connect(autocommit=True) as first, fresh.connect() as second:
        assert first.info.backend_pid == pid != second.info.backend_pid
        assert first.autocommit
        assert (
            first.execute("SELECT session_user, current_user").fetchone()
            == second.execute("SELECT session_user, current_user").fetchone()
        )
    databases.drop(fresh)


@pytest.mark.parametrize(
    "deed",
    [
        lambda fresh: fresh.name,
        lambda fresh: fresh.server,
        lambda fresh: fresh.dsn,
        lambda fresh: fresh.url,
        lambda fresh: fresh.engine,
        lambda fresh: fresh.as_role("superuser"),
        lambda fresh: fresh.connect(application_name="mine").close(),
    ],
    ids=["name", "server", "dsn", "url", "engine", "as_role", "connect with options"],
)
def test_who_asks_for_anything_else_meets_no_session(databases: Databases, deed: Callable[[Database], Any]) -> None:
    """Whoever knows where the database is can count its sessions, and change what the next one begins with."""
    fresh = databases.create(migrated=True)
    name = _called(fresh)
    assert _sessions(databases, name)
    deed(fresh)
    assert [pid for pid, query in _sessions(databases, name) if query == ""] == []
    with databases.server.connect(autocommit=True) as outside:
        outside.execute(f"ALTER DATABASE {name} SET work_mem TO '7MB'".encode())
    with fresh.connect() as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("7MB",)
    databases.drop(fresh)


def test_a_session_that_the_server_has_ended_is_not_given(databases: Databases) -> None:
    """Then the first connection is made when it is asked for."""
    fresh = databases.create(migrated=True)
    with databases.server.connect(autocommit=True) as outside:
        for pid, _ in _sessions(databases, _called(fresh)):
            outside.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with fresh.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    databases.drop(fresh)


def test_a_test_that_never_connects_leaves_no_session(databases: Databases) -> None:
    """What was opened ahead is closed when the database comes back."""
    fresh = databases.create(migrated=True)
    session = fresh._session
    databases.drop(fresh)
    assert session is not None
    assert session.closed


def test_no_session_is_opened_for_tests_that_begin_otherwise(databases: Databases) -> None:
    """A suite that takes addresses pays for none."""
    for _ in range(4):
        _use(databases, lambda fresh: fresh.dsn)
    fresh = databases.create(migrated=True)
    assert _sessions(databases, _called(fresh)) == []
    databases.drop(fresh)


def test_a_server_without_room_for_a_session_gives_a_database_all_the_same(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening ahead is a convenience: where it fails, the test connects itself."""
    template = databases.template(migrated=True)
    monkeypatch.setattr(template, "visitor", template.visitor.seen_by("nobody"))
    for _ in range(4):
        _use(databases, Database.connect)
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
    greeted = cloner.open_session(cloner.clone(template))
    assert greeted.session
    greeted.session.close()


class Lost(Cloner):
    """A cloner whose server ends before it can say what roles are like."""

    def _shared(self) -> str:
        raise psycopg.OperationalError("the server is gone")


class Watched(Address):
    """An address that remembers the last connection made to it; the background threads have their own."""

    made: ClassVar[psycopg.Connection[Any] | None] = None

    def connect(self, dbname: str | None = None, **options: Any) -> psycopg.Connection[Any]:
        """A connection as any other."""
        connection = Address.connect(self, dbname, **options)
        type(self).made = connection
        return connection


def test_a_session_is_closed_when_nobody_can_say_what_roles_are_like(databases: Databases) -> None:
    """The server may end between the two; whoever collects garbage later must not meet an open connection."""
    here, template = databases.pool.foreground, databases.template(migrated=True)
    watched = Watched(**asdict(template.visitor))
    copy = here.clone(replace(template, visitor=watched))
    assert Lost(here.administrator, here.prefix, here.numbers, reads_wal=True).open_session(copy).session is None
    assert watched.made
    assert watched.made.closed


def test_what_is_lent_to_the_end_is_closed_at_the_end(server: Cluster, trial: Config) -> None:
    """A database that is never given back has its session ended with the run."""
    with contextlib.closing(databases_on(server, trial)) as databases:
        for _ in range(3):
            _use(databases, Database.connect)
        session = databases.create(migrated=True)._session
        assert session
        databases.clear()
    assert session.closed
