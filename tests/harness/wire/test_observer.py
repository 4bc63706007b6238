"""The observer sees everything that a client does, and changes nothing."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.databases.databases import Database
from harness.wire.observer import Observer
from harness.wire.protocol import ProtocolState
from harness.wire.recording import RoundTrip


def connect(dsn: str, **options: Any) -> psycopg.Connection:
    """A connection in AUTOCOMMIT, so that a test sees its own statements only."""
    return psycopg.connect(dsn, **({"autocommit": True} | options))


def copy_in(client: psycopg.Connection, query: str, lines: list[str]) -> None:
    """Send lines through COPY."""
    with client.cursor().copy(query) as copy:
        for line in lines:
            copy.write(line)


def next_result(raw: psycopg.pq.abc.PGconn) -> psycopg.pq.abc.PGresult | None:
    """The next result of a raw connection. PQgetResult alone would wait holding the GIL, which the observer needs."""
    raw.flush()
    while raw.is_busy():
        select.select([raw.socket], [], [])
        raw.consume_input()
    return raw.get_result()


def test_a_connection_is_counted_once(wire: Observer, observed: str) -> None:
    """Opening a connection is one opened connection and only set-up trips."""
    with wire.recording() as seen, connect(observed):
        wire.settle()
        assert len(seen.opened) == 1
        assert set(seen.kinds) == {"set-up"}


def test_a_simple_query_is_one_round_trip(wire: Observer, observed: str) -> None:
    """A statement without parameters goes as a simple query: text, rows and status are seen."""
    with connect(observed) as client, wire.recording() as seen:
        client.execute("SELECT generate_series(1, 7)")
        wire.settle()
    (trip,) = seen.trips
    (statement,) = trip.statements
    assert (trip.kind, trip.status, statement.text, statement.rows) == ("query", "I", "SELECT generate_series(1, 7)", 7)
    assert 0 < statement.seconds <= trip.seconds


def test_parameters_and_their_types_are_known(wire: Observer, observed: str) -> None:
    """An extended query is one trip too, and its Parse message tells the types that the client declared."""
    with connect(observed) as client, wire.recording() as seen:
        client.execute("SELECT %s::text || %s", ("a", "b"))
        client.execute("SELECT %b", (2**40,))
        wire.settle()
    first, second = seen.statements
    assert first.text == "SELECT $1::text || $2"
    assert second.types == (20,)
    assert seen.kinds == {"query": 2}


def test_a_prepared_statement_keeps_its_text(wire: Observer, observed: str) -> None:
    """Executions by name are resolved to the text of their Parse, and the Parse alone is a trip of kind prepare."""
    with connect(observed) as client, wire.recording() as seen:
        for value in range(3):
            client.execute("SELECT %s::int", (value,), prepare=True)
        wire.settle()
    assert seen.texts == ["SELECT $1::int"] * 3
    assert seen.kinds == {"prepare": 1, "query": 3}


def test_a_pipeline_is_one_round_trip(wire: Observer, observed: str) -> None:
    """Statements sent together cost one wait."""
    with connect(observed) as client, wire.recording() as seen:
        with client.pipeline():
            for value in range(5):
                client.execute("SELECT %s::int", (value,), prepare=False)
        wire.settle()
    (trip,) = seen.trips
    assert [item.rows for item in trip.statements] == [1] * 5


def test_a_flush_behind_the_last_answer_begins_no_trip() -> None:
    """Libpq sends one at the end of a pipeline, and a busy machine may deliver it after everything was answered."""
    trips: list[RoundTrip] = []
    state = ProtocolState(1, trips.append)
    state.answered("Z", b"I", 1)
    for letter, body in (("P", b"\0SELECT 1\0\0\0"), ("B", b"\0\0\0\0\0\0\0\0"), ("E", b"\0\0\0\0\0"), ("S", b"")):
        state.sent(letter, body)
    for letter, body in (("1", b""), ("2", b""), ("C", b"SELECT 1\0"), ("Z", b"I")):
        state.answered(letter, body, 1)
    state.sent("H", b"")
    assert not state.busy
    assert [trip.kind for trip in trips] == ["set-up", "query"]


def test_executemany_in_a_pipeline_is_seen_row_by_row(wire: Observer, observed: str) -> None:
    """psycopg's executemany sends every row, in few trips."""
    with connect(observed) as client:
        client.execute("CREATE TABLE item (id int)")
        with wire.recording() as seen:
            client.cursor().executemany("INSERT INTO item VALUES (%s)", [(value,) for value in range(50)])
            wire.settle()
    inserts = [item for item in seen.statements if item.text.startswith("INSERT")]
    assert sum(item.rows for item in inserts) == 50
    assert len([trip for trip in seen.trips if trip.kind == "query"]) <= 2


def test_transaction_control_has_its_own_kind(wire: Observer, observed: str) -> None:
    """BEGIN and COMMIT are trips of another kind than queries."""
    with connect(observed, autocommit=False) as client, wire.recording() as seen:
        client.execute("SELECT 1")
        client.commit()
        wire.settle()
    assert [(trip.kind, trip.status) for trip in seen.trips] == [
        ("transaction control", "T"),
        ("query", "T"),
        ("transaction control", "I"),
    ]


def test_setup_statements_are_not_queries(wire: Observer, observed: str) -> None:
    """SET, SHOW and the empty statement of a ping cost a trip, and are no queries."""
    with connect(observed) as client, wire.recording() as seen:
        for statement in ("SET application_name = 'someone'", "SHOW server_version", ""):
            client.execute(statement)
        wire.settle()
    assert seen.kinds == {"set-up": 3}


@pytest.mark.parametrize("parameters", [None, (1,)], ids=["simple", "extended"])
def test_copy_passes_both_ways(wire: Observer, observed: str, parameters: tuple[int] | None) -> None:
    """COPY IN and COPY OUT are one trip each, with the rows that they moved."""
    with connect(observed) as client:
        client.execute("CREATE TABLE item (id int, word text)")
        with wire.recording() as seen:
            with client.cursor().copy("COPY item FROM STDIN") as copy:
                for value in range(1000):
                    copy.write_row((value, "word"))
            query = "COPY (SELECT * FROM item WHERE id >= 0) TO STDOUT"
            if parameters:
                query = "COPY (SELECT * FROM item WHERE id >= %s) TO STDOUT"
            with client.cursor().copy(query, parameters and (0,)) as copy:
                assert len(list(copy.rows())) == 1000
            wire.settle()
    assert [(trip.kind, [item.rows for item in trip.statements]) for trip in seen.trips] == [
        ("query", [1000]),
        ("query", [1000]),
    ]


def test_an_extended_copy_in_is_one_round_trip(wire: Observer, observed: str) -> None:
    """libpq sends a Sync before the data, which the server ignores, and another one behind them."""
    with connect(observed) as client:
        client.execute("CREATE TABLE item (id int)")
        with wire.recording() as seen:
            raw = client.pgconn
            raw.send_query_params(b"COPY item FROM STDIN", [])
            assert getattr(next_result(raw), "status", None) == psycopg.pq.ExecStatus.COPY_IN
            raw.put_copy_data(b"1\n2\n")
            raw.put_copy_end()
            while next_result(raw):
                pass
            wire.settle()
        assert client.execute("SELECT count(*) FROM item").fetchone() == (2,)
    assert [(trip.kind, [item.rows for item in trip.statements]) for trip in seen.trips] == [("query", [2])]


def test_statements_behind_an_error_are_skipped_until_the_sync(wire: Observer, observed: str) -> None:
    """A flush lets the client read an error before it has sent its Sync: the server skips what comes between."""
    with connect(observed) as client, wire.recording() as seen:
        raw = client.pgconn
        raw.enter_pipeline_mode()
        raw.send_query_params(b"SELECT 1 / 0", [])
        raw.send_flush_request()
        assert getattr(next_result(raw), "status", None) == psycopg.pq.ExecStatus.FATAL_ERROR
        raw.send_query_params(b"SELECT 2", [])
        raw.pipeline_sync()
        while (result := next_result(raw)) is None or result.status != psycopg.pq.ExecStatus.PIPELINE_SYNC:
            pass
        raw.exit_pipeline_mode()
        wire.settle()
        assert client.execute("SELECT 3").fetchone() == (3,)
    assert [[item.text for item in trip.statements] for trip in seen.trips] == [["SELECT 1 / 0"], [], ["SELECT 3"]]


def test_a_failed_copy_leaves_the_connection_usable(wire: Observer, observed: str) -> None:
    """Bad data in the middle of a COPY ends the trip with its SQLSTATE, and the connection goes on."""
    with connect(observed) as client:
        client.execute("CREATE TABLE item (id int)")
        with wire.recording() as seen:
            with pytest.raises(psycopg.errors.InvalidTextRepresentation):
                copy_in(client, "COPY item FROM STDIN", ["x\n"] * 100)
            wire.settle()
            client.execute("SELECT 1")
    assert seen.sqlstates == {"22P02": 1}
    assert seen.trips[-1].statements[0].rows == 1


def test_an_error_is_seen_with_its_sqlstate(wire: Observer, observed: str) -> None:
    """Errors of simple, extended and pipelined queries are kept, and the statements behind them in a pipeline too."""
    with connect(observed) as client, wire.recording() as seen:
        with pytest.raises(psycopg.errors.UndefinedTable):
            client.execute("SELECT * FROM nowhere")
        with pytest.raises(psycopg.errors.DivisionByZero):
            client.execute("SELECT 1 / %s::int", (0,))
        with pytest.raises(psycopg.errors.DivisionByZero), client.pipeline():
            client.cursor().executemany("SELECT 1 / %s::int", [(0,), (1,)])
        wire.settle()
    assert seen.sqlstates == {"42P01": 1, "22012": 2}


def test_notices_and_notifications_pass(wire: Observer, observed: str) -> None:
    """Messages that nobody asked for reach the client."""
    with connect(observed) as client, connect(observed) as other:
        heard: list[str | None] = []
        client.add_notice_handler(lambda notice: heard.append(notice.message_primary))
        client.execute("DO $$ BEGIN RAISE NOTICE 'hello'; END $$")
        client.execute("LISTEN news")
        other.execute("NOTIFY news, 'today'")
        assert heard == ["hello"]
        assert next(client.notifies(timeout=60, stop_after=1)).payload == "today"


@pytest.mark.parametrize("version", ["3.0", "3.2"])
def test_a_cancel_reaches_its_query(wire: Observer, observed: str, empty_database: Database, version: str) -> None:
    """Cancel requests pass with the server's own key, also the longer keys of protocol 3.2."""
    sleeps = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = %s"

    def cancel() -> None:
        with empty_database.as_role("superuser").connect(autocommit=True) as direct:
            while direct.execute(sleeps, (client.info.backend_pid,)).fetchone() == (0,):
                time.sleep(0.005)
        client.cancel_safe()

    with connect(f"{observed}?max_protocol_version={version}") as client, wire.recording() as seen:
        thread = threading.Thread(target=cancel)
        thread.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            client.execute("SELECT pg_sleep(60)")
        thread.join()
        wire.settle()
    assert (seen.cancels, seen.sqlstates, len(seen.opened)) == (1, {"57014": 1}, 0)


def test_a_newer_protocol_is_negotiated_by_the_server(wire: Observer, observed: str) -> None:
    """A client of protocol 3.2 gets it where the server has it, and 3.0 where not."""
    with connect(f"{observed}?max_protocol_version=latest") as client:
        speaks = client.pgconn.full_protocol_version if hasattr(client.pgconn, "full_protocol_version") else None
        expected = 30002 if client.info.server_version >= 180000 else 30000
        assert speaks in (None, expected)
        assert client.execute("SELECT 1").fetchone() == (1,)


def test_a_client_that_requires_tls_gets_an_error(wire: Observer, observed: str) -> None:
    """The observer has no TLS: libpq says so, and the recording counts the client."""
    strict = f"{observed}?sslmode=require"
    for dsn, word in ((strict, "server does not support SSL"), (f"{strict}&sslnegotiation=direct", "SSL")):
        with wire.recording() as seen:
            with pytest.raises(psycopg.OperationalError, match=word):
                connect(dsn)
            wire.settle()
        assert seen.tls == 1


def test_a_client_that_would_like_tls_connects_without(wire: Observer, observed: str) -> None:
    """The default of libpq asks for GSS and TLS first and goes on without."""
    with wire.recording() as seen, connect(f"{observed}?sslmode=prefer&gssencmode=prefer") as client:
        assert client.execute("SELECT 1").fetchone() == (1,)
        wire.settle()
    assert (len(seen.opened), seen.tls) == (1, 0)


def test_the_address_has_no_options_of_libpq_that_nobody_asked_for(
    wire: Observer, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other drivers refuse them; where the environment asks for encryption, libpq is asked not to encrypt."""
    assert "?" not in wire.dsn("postgresql://ada@example.org/shop")
    assert wire.dsn("postgresql://ada@example.org/shop?application_name=a").endswith("/shop?application_name=a")
    monkeypatch.setenv("PGSSLMODE", "require")
    with connect(wire.dsn(empty_database.dsn)) as client:
        assert client.execute("SELECT 1").fetchone() == (1,)


def test_a_client_of_another_protocol_gets_an_error(wire: Observer) -> None:
    """What does not speak the protocol is answered in it, and the connection closed."""
    with socket.create_connection((wire.address.host, wire.address.port)) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        answer = b""
        while chunk := stranger.recv(4096):
            answer += chunk
    assert answer.startswith(b"E")
    assert b"08P01" in answer


def test_an_unreachable_server_is_named(wire: Observer, observed: str) -> None:
    """A client learns that it is the server behind the observer that is missing."""
    wire.server = replace(wire.server, host="/nonexistent")
    with pytest.raises(psycopg.OperationalError, match="observer cannot reach the server"):
        connect(observed)


def test_messages_cut_anywhere_are_understood(wire: Observer, observed: str) -> None:
    """A client that sends byte by byte is recorded like any other."""
    user = psycopg.conninfo.conninfo_to_dict(observed)
    body = struct.pack("!I", 3 << 16) + f"user\0{user['user']}\0database\0{user['dbname']}\0\0".encode()
    query = b"SELECT 42\0"
    sent = struct.pack("!I", len(body) + 4) + body + b"Q" + struct.pack("!I", len(query) + 4) + query
    with wire.recording() as seen, socket.create_connection((wire.address.host, wire.address.port)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in sent:
            client.sendall(bytes([byte]))
        answer = b""
        while answer.count(b"Z\0\0\0\5I") < 2:
            chunk = client.recv(4096)
            assert chunk, answer
            answer += chunk
    assert seen.texts == ["SELECT 42"]


def test_a_listening_socket_in_a_directory_works_too(wire: Observer, observed: str, tmp_path: Path) -> None:
    """An app that connects through a socket directory is observed as well."""
    with (
        Observer(wire.server, directory=tmp_path) as other,
        connect(other.dsn(observed)) as client,
        other.recording() as seen,
    ):
        client.execute("SELECT 1")
        other.settle()
        assert seen.texts == ["SELECT 1"]


def test_settle_waits_for_the_end_of_a_transaction(wire: Observer, observed: str) -> None:
    """A transaction left open is named with its last statement; once it ends, settle returns."""
    with connect(observed, autocommit=False) as client:
        client.execute("SELECT 'left open'")
        with pytest.raises(TimeoutError, match=r"is in a transaction.*left open"):
            wire.settle(timeout=0.05)
        timer = threading.Timer(0.05, client.rollback)
        timer.start()
        wire.settle()
        timer.join()
        assert client.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_a_server_side_cursor_is_followed(wire: Observer, observed: str) -> None:
    """DECLARE and FETCH are separate statements, with their rows."""
    with connect(observed, autocommit=False) as client, wire.recording() as seen:
        with client.cursor("walk") as cursor:
            cursor.itersize = 10
            cursor.execute("SELECT generate_series(1, 25)")
            assert len(list(cursor)) == 25
        client.commit()
        wire.settle()
    assert [item.rows for item in seen.statements if item.text.startswith("FETCH")] == [10, 10, 5]
