"""A fixed address leads to the database of the observer that listens on it."""

from __future__ import annotations

import contextlib
import threading

import psycopg
import pytest

from harness.databases.databases import Database, Databases
from harness.wire.fixed_address import FixedAddress, FixedLogin
from harness.wire.messages import CANCEL, startup_as
from harness.wire.observer import Observer


def login(fixed: FixedAddress, database: Database) -> FixedLogin:
    """Where connections to the address lead."""
    return FixedLogin(fixed.port, database.address.user, database.name)


def test_an_address_leads_from_one_database_to_the_next(harness_databases: Databases) -> None:
    """Whichever user and database a client asks for; in between, a connection is refused at once."""
    with contextlib.closing(FixedAddress()) as fixed:
        for _ in range(2):
            database = harness_databases.create(migrated=False)
            with Observer(database.address, fixed=login(fixed, database)) as wire, wire.recording() as seen:
                with psycopg.connect(fixed.dsn, application_name="shop", autocommit=True) as client:
                    asked = "SELECT current_database(), session_user::text, current_setting('application_name')"
                    found = client.execute(asked).fetchone()
                wire.settle()
            assert found == (database.name, database.address.user, "shop")
            assert (len(seen.opened), seen.texts) == (1, [asked])
            with pytest.raises(psycopg.OperationalError, match="refused"):
                psycopg.connect(fixed.dsn)
            harness_databases.drop(database)


def test_a_statement_can_be_cancelled_there(empty_database: Database) -> None:
    """A cancel request has a start-up packet too, which stays as it is."""
    assert startup_as(packet := b"\0\0\0\x10" + CANCEL.to_bytes(4) + b"\0" * 8, "a", "b") == packet
    with (
        contextlib.closing(FixedAddress()) as fixed,
        Observer(empty_database.address, fixed=login(fixed, empty_database)),
        psycopg.connect(fixed.dsn) as client,
    ):
        timer = threading.Timer(0.1, client.cancel_safe)
        timer.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            client.execute("SELECT pg_sleep(60)")
        timer.join()


def test_a_refusing_observer_refuses_there_too(empty_database: Database) -> None:
    """As when a database is away, and afterwards it is back."""
    with (
        contextlib.closing(FixedAddress()) as fixed,
        Observer(empty_database.address, fixed=login(fixed, empty_database)) as wire,
    ):
        with wire.refusing(), pytest.raises(psycopg.OperationalError, match="refused"):
            psycopg.connect(fixed.dsn)
        psycopg.connect(fixed.dsn).close()
