"""What a test may do to its database, and what the harness does next."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.databases.clones import Clone
from harness.databases.databases import Database

if TYPE_CHECKING:
    from tests.harness.databases.conftest import TrialServer

Test = Callable[[Database, contextlib.ExitStack], Any]


@dataclass(frozen=True)
class Scenario:
    """A test's actions, and what is expected of the harness: `reset` or `cloned`.

    The template holds an unlogged table, which the log says nothing about, so it is reset after every test.
    """

    name: str
    actions: Test
    expected: str


def run(*statements: str, role: str = "migrator", commit: bool = True) -> Test:
    """A test that runs statements, each in its own transaction unless `commit` is False."""

    def actions(database: Database, stack: contextlib.ExitStack) -> None:
        with contextlib.closing(database.as_role(role).connect(autocommit=commit)) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    return actions


def leave_open(database: Database, stack: contextlib.ExitStack) -> None:
    connection = stack.enter_context(contextlib.closing(database.connect()))
    connection.execute("INSERT INTO item (name) VALUES ('open')")


def leave_idle(database: Database, stack: contextlib.ExitStack) -> None:
    stack.enter_context(contextlib.closing(database.connect())).execute("SELECT 1")


def in_a_session(statement: str) -> Test:
    def actions(database: Database, stack: contextlib.ExitStack) -> None:
        connection = stack.enter_context(contextlib.closing(database.as_role("superuser").connect(autocommit=True)))
        connection.execute(statement.encode())

    return actions


def kill_a_writer(database: Database, stack: contextlib.ExitStack) -> None:
    victim = stack.enter_context(contextlib.closing(database.connect()))
    victim.execute("INSERT INTO item (name) SELECT n::text FROM generate_series(1, 1000) AS n")
    with database.as_role("superuser").connect(autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [victim.info.backend_pid])


def leave_prepared(database: Database, stack: contextlib.ExitStack) -> None:
    with contextlib.closing(database.connect()) as connection:
        connection.tpc_begin(connection.xid(1, "left", "behind"))
        connection.execute("INSERT INTO item (name) VALUES ('prepared')")
        connection.tpc_prepare()


def make_a_large_object(database: Database, stack: contextlib.ExitStack) -> None:
    with database.connect() as connection:
        connection.execute("SELECT lo_from_bytea(0, 'abc')")


def copy_in(database: Database, stack: contextlib.ExitStack) -> None:
    with database.connect() as connection, connection.cursor().copy("COPY item (name) FROM STDIN") as copy:
        for number in range(500):
            copy.write_row([f"copied {number}"])


def from_outside(statement: str) -> Test:
    """A superuser's statement from another database, `{}` standing for the test's."""

    def actions(database: Database, stack: contextlib.ExitStack) -> None:
        with database.server.connect(autocommit=True) as connection:
            connection.execute(statement.format(f'"{database.name}"').encode())

    return actions


def check(scenario: Scenario, server: TrialServer, original: str) -> None:
    """After the actions the database is dumped like an untouched one, or a new clone takes its place; as expected."""
    clone = server.clone()
    again = after(scenario, server, clone)
    assert (scenario.expected == "cloned") is (again is None), again or server.cloner.reason
    if again:
        assert server.dump(again) == original
    server.cloner.drop(again or clone)


def after(scenario: Scenario, server: TrialServer, clone: Clone) -> Clone | None:
    """What the harness makes of a database after a test that may still hold it open."""
    with contextlib.ExitStack() as stack:
        scenario.actions(server.open(clone), stack)
        return None if server.cloner.restore_shared_objects(clone) else server.cloner.reset(clone)
