"""Each fault does what its name says to a real client and server."""

from __future__ import annotations

import contextlib
import threading

import psycopg
import pytest

from harness.databases.databases import Database
from harness.wire.faults import FaultKind
from harness.wire.observer import Observer


def prepared(database: Database) -> psycopg.Connection:
    """A connection past the observer, with a table to look at."""
    direct = database.connect(autocommit=True)
    direct.execute("CREATE TABLE item (id int)")
    return direct


def insert(dsn: str) -> None:
    """One row in one transaction, over its own connection."""
    with psycopg.connect(dsn) as client:
        client.execute("INSERT INTO item VALUES (%s)", (1,))


@pytest.mark.parametrize(("harm", "kept"), [("lose request", 0), ("lose answer", 1)])
def test_a_connection_lost_at_commit(
    wire: Observer, observed: str, empty_database: Database, harm: FaultKind, kept: int
) -> None:
    """The client sees the same error whether the server has committed or not; the row tells the difference."""
    with prepared(empty_database) as direct:
        with wire.fault(r"^\s*COMMIT", harm) as fault, pytest.raises(psycopg.OperationalError):
            insert(observed)
        wire.settle()
        assert fault.met == ["COMMIT"]
        assert direct.execute("SELECT count(*) FROM item").fetchone() == (kept,)


def test_a_fault_strikes_as_often_as_asked(wire: Observer, observed: str, empty_database: Database) -> None:
    """After its times are used up, the next client is served."""
    with prepared(empty_database) as direct, wire.fault("INSERT", "reset", times=2) as fault:
        for _ in range(2):
            with pytest.raises(psycopg.OperationalError):
                insert(observed)
        insert(observed)
        assert len(fault.met) == 2
        assert direct.execute("SELECT count(*) FROM item").fetchone() == (1,)


def test_a_reset_breaks_the_connection_in_a_query(wire: Observer, observed: str) -> None:
    """The client of a long query learns at once, not when the query ends."""
    with (
        wire.recording() as seen,
        wire.fault("pg_sleep", "reset"),
        psycopg.connect(observed, autocommit=True) as client,
    ):
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT pg_sleep(1)")
        assert client.broken
        wire.settle()
    assert seen.trips[-1].complete is False


def test_a_prepared_statement_is_struck_when_it_runs(wire: Observer, observed: str) -> None:
    """The pattern is looked for in the text behind a prepared name."""
    with psycopg.connect(observed, autocommit=True) as client:
        client.execute("SELECT %s::int + 41", (1,), prepare=True)
        with wire.fault("41", "lose request") as fault, pytest.raises(psycopg.OperationalError):
            client.execute("SELECT %s::int + 41", (1,), prepare=True)
        assert fault.met == ["SELECT $1::int + 41"]


def test_a_stall_holds_one_connection_until_it_is_lifted(wire: Observer, observed: str) -> None:
    """A stalled statement does not reach the server, others do; afterwards it is answered."""
    answers: list[object] = []
    with psycopg.connect(observed, autocommit=True) as client, psycopg.connect(observed, autocommit=True) as other:
        with wire.fault("'held'", "stall") as fault:
            thread = threading.Thread(target=lambda: answers.append(client.execute("SELECT 'held'").fetchone()))
            thread.start()
            assert fault.reached()
            query = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT ''held'''"
            assert other.execute(query).fetchone() == (0,)
            assert answers == []
        thread.join(60)
    assert answers == [("held",)]


@pytest.mark.parametrize("harm", ["lose answer", "stall"])
def test_a_statement_with_parameters_is_struck_whole(wire: Observer, observed: str, harm: FaultKind) -> None:
    """All of its messages are held or lost together, and the wire becomes idle afterwards."""
    client = psycopg.connect(observed, autocommit=True)

    def ask() -> None:
        with contextlib.suppress(psycopg.OperationalError):
            client.execute("SELECT %s::int", (1,))

    thread = threading.Thread(target=ask)
    with wire.recording() as seen:
        with wire.fault("SELECT", harm) as fault:
            thread.start()
            assert fault.reached()
        thread.join(60)
        wire.settle()
    client.close()
    assert [(trip.kind, trip.complete) for trip in seen.trips] == [("query", True)]


def test_a_refused_client_is_refused_by_the_system(wire: Observer, observed: str) -> None:
    """While nobody listens new clients are refused, and open connections go on; afterwards all is as before."""
    with psycopg.connect(observed, autocommit=True) as client:
        with wire.refusing():
            with pytest.raises(psycopg.OperationalError, match="refused"):
                psycopg.connect(observed)
            assert client.execute("SELECT 1").fetchone() == (1,)
        psycopg.connect(observed).close()


def test_a_failover_drops_every_connection(wire: Observer, observed: str) -> None:
    """All clients lose their connections at once, and new ones are served."""
    clients = [psycopg.connect(observed, autocommit=True) for _ in range(5)]
    assert wire.drop() == 5
    for client in clients:
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")
    with psycopg.connect(observed) as client:
        assert client.execute("SELECT 1").fetchone() == (1,)


def test_latency_is_added_once_to_a_round_trip(wire: Observer, observed: str) -> None:
    """Each wait costs the latency and no more than the machine adds; a pipeline pays it once."""
    with psycopg.connect(observed, autocommit=True) as client:
        with wire.slow(0.02), wire.recording() as seen:
            client.execute("SELECT 1")
            with client.pipeline():
                for value in range(20):
                    client.execute("SELECT %s::int", (value,), prepare=False)
            wire.settle()
        assert all(trip.seconds >= 0.0195 for trip in seen.trips)
        assert len(seen.trips) == 2
        assert len(seen.trips[1].statements) == 20
        assert wire.latency == 0


def test_data_waits_in_order(wire: Observer, observed: str, empty_database: Database) -> None:
    """A COPY of many chunks under latency arrives whole and in order."""
    with prepared(empty_database) as direct, wire.slow(0.005), psycopg.connect(observed) as client:
        with client.cursor().copy("COPY item FROM STDIN") as copy:
            for value in range(200_000):
                copy.write_row((value,))
        client.commit()
        assert direct.execute("SELECT count(*), max(id) FROM item").fetchone() == (200_000, 199_999)
