"""Databases are made ahead in the background, and a run survives its failure."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from harness.config import Config
from harness.databases import pool as pooling
from harness.databases.clones import Clone, Cloner
from harness.databases.databases import Database, Databases
from harness.databases.prepared import databases_on, prepared_cluster
from harness.postgres.installations import installations

pytestmark = pytest.mark.integration


def _use(databases: Databases, statement: str = "INSERT INTO item (name) VALUES ('a')", **how: bool) -> Database:
    """A test that finds its table empty, runs a statement, and hands its database back."""
    fresh = databases.create(migrated=True, **how)
    with fresh.connect(autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM item").fetchone() == (0,)
        connection.execute(statement.encode())
    databases.drop(fresh)
    return fresh


def test_databases_come_back_reset_or_cloned(databases: Databases) -> None:
    """Ten tests after each other get what they need, whatever the one before did, and no two the same name."""
    statements = ["INSERT INTO item (name) VALUES ('a')", "SELECT 1", "CREATE TABLE extra ()"]
    used = [_use(databases, statements[number % 3]) for number in range(12)]
    assert len({fresh.name for fresh in used}) == 12
    assert any(fresh.how.startswith("reset") for fresh in used)
    assert any(fresh.how.startswith("cloned") for fresh in used)
    assert databases.failure == ""


def test_a_test_can_ask_for_an_unused_clone(databases: Databases) -> None:
    """With `unused` no test had the database before, however many are ready."""
    for _ in range(4):
        _use(databases)
        assert _use(databases, unused=True).how.startswith("cloned")


@pytest.mark.parametrize("step", ["reset", "clone", "drop"])
def test_a_run_survives_a_crash_in_the_background(
    databases: Databases, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a thread ends, its traceback is kept, and the tests' own thread makes the clones."""
    foreground = databases.pool.foreground
    original = getattr(Cloner, step)

    def crash(self: Cloner, *arguments: Any, **options: Any) -> Any:
        if self is not foreground:
            raise RuntimeError("crashed on purpose")
        return original(self, *arguments, **options)

    monkeypatch.setattr(Cloner, step, crash)
    monkeypatch.setattr(pooling, "BACKLOG", 0)
    for _ in range(5):
        _use(databases, "CREATE TABLE extra ()")
    assert "crashed on purpose" in databases.failure


@pytest.fixture
def slow(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """The background brings nothing back until the first is set, and sets the second when it has."""
    begin, done = threading.Event(), threading.Event()
    original = Cloner.reset

    def reset(self: Cloner, clone: Clone) -> Clone | None:
        begin.wait()
        again = original(self, clone)
        done.set()
        return again

    monkeypatch.setattr(Cloner, "reset", reset)
    yield begin, done
    begin.set()


def _settings(databases: Databases) -> list[tuple[Any, ...]]:
    with databases.server.connect() as connection:
        query = "SELECT setrole, setconfig FROM pg_db_role_setting WHERE setdatabase = 0 ORDER BY setrole"
        return connection.execute(query).fetchall()


@pytest.mark.usefixtures("slow")
def test_the_next_test_meets_no_role_that_the_last_one_changed(databases: Databases) -> None:
    """What all databases share is put back before a test gets its database, however busy the background is."""
    _use(databases)
    before = _settings(databases)
    fresh = databases.create(migrated=True)
    with fresh.as_role("superuser").connect(autocommit=True) as connection:
        connection.execute("ALTER ROLE trial_migrator SET work_mem TO '7MB'")
    databases.drop(fresh)
    assert _settings(databases) == before


def test_what_a_test_does_to_roles_lasts_as_long_as_it_runs(
    databases: Databases, slow: tuple[threading.Event, threading.Event]
) -> None:
    """The background, which brings the last test's database back meanwhile, does not take it for the last test's."""
    begin, done = slow
    _use(databases)
    fresh = databases.create(migrated=True)
    with fresh.as_role("superuser").connect(autocommit=True) as connection:
        connection.execute("CREATE ROLE extra")
        begin.set()
        assert done.wait(pooling.PATIENCE)
        assert connection.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'extra'").fetchone() == (1,)
    databases.drop(fresh)


def test_a_background_that_hangs_does_not_hang_the_run(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `PATIENCE` the tests' own thread makes the clone."""
    hanging = threading.Event()
    foreground = databases.pool.foreground
    original = Cloner.clone

    def clone(self: Cloner, *arguments: Any, **options: Any) -> Any:
        if self is not foreground:
            hanging.wait()
        return original(self, *arguments, **options)

    monkeypatch.setattr(Cloner, "clone", clone)
    monkeypatch.setattr(pooling, "PATIENCE", 0.05)
    for _ in range(3):
        assert _use(databases).how == "cloned"
    hanging.set()


def test_a_server_that_stops_under_the_background_does_not_fail_the_run(trial: Config) -> None:
    """A restart loses the sessions of both threads, and nothing else."""
    with (
        contextlib.closing(prepared_cluster(next(installations()), trial, None)) as cluster,
        contextlib.closing(databases_on(cluster, trial)) as databases,
    ):
        _use(databases)
        _use(databases)
        cluster.stop()
        cluster.start()
        for _ in range(4):
            _use(databases)


def test_clearing_leaves_no_database(databases: Databases) -> None:
    """What was made, lent, kept and held ready is gone, also a template and what a test made one."""
    _use(databases)
    kept = databases.create(migrated=True)
    with databases.server.connect(autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {kept.name} IS_TEMPLATE true".encode())
    databases.clear()
    with databases.server.connect() as connection:
        names = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
    assert names == {"postgres", "template0", "template1"}
