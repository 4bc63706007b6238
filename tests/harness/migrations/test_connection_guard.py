"""A migration can connect only to the database that it is given."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import connect as bound_before
from sqlalchemy import URL, create_engine

from harness.databases.databases import Database
from harness.migrations.connection_guard import ForeignConnectionError, restrict_connections
from tests.harness.migrations.workbench import Example, Workbench

GIVEN = URL.create("postgresql+psycopg", "app", host="127.0.0.1", port=54321, database="traced")
AWAY = "host=db.invalid dbname=production user=app"


def engine(**arguments: object) -> None:
    """Connect through SQLAlchemy."""
    create_engine("postgresql+psycopg://", **arguments).connect()


@pytest.mark.parametrize(
    "opens",
    [
        pytest.param(lambda: psycopg.connect(AWAY), id="psycopg.connect"),
        pytest.param(lambda: psycopg.Connection.connect(AWAY), id="Connection.connect"),
        pytest.param(lambda: bound_before(AWAY), id="a name that was bound before"),
        pytest.param(lambda: asyncio.run(psycopg.AsyncConnection.connect(AWAY)), id="AsyncConnection"),
        pytest.param(lambda: engine(creator=lambda: psycopg.connect(AWAY)), id="creator"),
        pytest.param(lambda: engine(connect_args={"host": "db.invalid", "dbname": "traced"}), id="SQLAlchemy"),
        pytest.param(psycopg.connect, id="libpq's defaults"),
        pytest.param(lambda: psycopg.connect("host=127.0.0.1 port=54321 dbname=other"), id="another database"),
        pytest.param(lambda: psycopg.connect("host=127.0.0.1 port=1 dbname=traced"), id="another port"),
        pytest.param(
            lambda: psycopg.connect("host=127.0.0.1 hostaddr=127.0.0.9 port=54321 dbname=traced"), id="another address"
        ),
        pytest.param(lambda: psycopg.connect("host=db.invalid,127.0.0.1 port=54321 dbname=traced"), id="two hosts"),
    ],
)
def test_no_connection_reaches_another_database(opens: Callable[[], object]) -> None:
    """The refusal comes before a name is looked up: nothing is sent, nothing is waited for."""
    with (
        restrict_connections(GIVEN),
        pytest.raises(ForeignConnectionError, match="instead of the database that it is given"),
    ):
        opens()


def test_pghost_cannot_redirect_a_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many developers have PGHOST set to production."""
    monkeypatch.setenv("PGHOST", "db.invalid")
    with restrict_connections(GIVEN), pytest.raises(ForeignConnectionError, match=r"traced on db\.invalid:54321"):
        psycopg.connect("port=54321 dbname=traced")


def test_a_thread_that_the_project_starts_is_refused_too() -> None:
    """A connection pool connects in its own threads."""
    with restrict_connections(GIVEN), ThreadPoolExecutor(1) as threads, pytest.raises(ForeignConnectionError):
        threads.submit(lambda: psycopg.connect(AWAY)).result()


def test_existing_threads_may_still_connect(database: Database) -> None:
    """While a revision runs, the harness makes databases through other databases of the server."""
    may, found = threading.Event(), []

    def work() -> None:
        may.wait()
        with database.connect() as session:
            found.append(session.info.dbname)

    thread = threading.Thread(target=work)
    thread.start()
    with restrict_connections(GIVEN):
        may.set()
        thread.join()
    assert found == [database.name]


def test_the_given_database_is_reached_in_every_way(database: Database) -> None:
    """By psycopg, its asyncio, SQLAlchemy and a creator; and any other one again afterwards."""

    async def name() -> str:
        async with await psycopg.AsyncConnection.connect(database.dsn) as session:
            return session.info.dbname

    with restrict_connections(database.url):
        with psycopg.connect(database.dsn) as session:
            assert session.info.dbname == database.name
        assert asyncio.run(name()) == database.name
        for made in (create_engine(database.url), create_engine(database.url, creator=database.connect)):
            with made.connect() as connection:
                assert connection.engine.url.database == database.name
            made.dispose()
        with pytest.raises(ForeignConnectionError):
            psycopg.connect(database.dsn, dbname="postgres")
    with restrict_connections(GIVEN), pytest.raises(ForeignConnectionError):
        database.connect()
    database.connect().close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        'psycopg.connect("host=db.invalid dbname=production")',
        'sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect("host=db.invalid")).connect()',
    ],
)
def test_a_revision_that_connects_elsewhere_fails_by_name(workbench: Workbench, line: str) -> None:
    """The finding says where it wanted to go, and in which line."""
    _, found = workbench.see(Example(f"import psycopg\n{line}"))
    (finding,) = [item for item in found if item.rule.id == "revision-fails"]
    assert "db.invalid:5432 instead of the database that it is given" in finding.message
    assert "0001.py, line 11" in finding.message
