"""What a test does to rows, sequences and sessions is reset, or the next test gets a clone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from harness.databases.reset import Undo
from tests.harness.databases.scenarios import (
    Scenario,
    check,
    copy_in,
    in_a_session,
    kill_a_writer,
    leave_idle,
    leave_open,
    leave_prepared,
    make_a_large_object,
    run,
)

if TYPE_CHECKING:
    from tests.harness.databases.conftest import TrialServer

pytestmark = pytest.mark.integration

SCENARIOS = [
    Scenario("nothing", lambda database, stack: None, "reset"),
    Scenario("read", run("SELECT * FROM item", "SELECT * FROM colour"), "reset"),
    Scenario("lock rows", run("SELECT * FROM colour FOR UPDATE", "SELECT * FROM colour FOR KEY SHARE"), "reset"),
    Scenario("lock a table", run("BEGIN", "LOCK TABLE item", "COMMIT"), "reset"),
    Scenario("an advisory lock", in_a_session("SELECT pg_advisory_lock(1)"), "reset"),
    Scenario("LISTEN and NOTIFY", in_a_session("LISTEN x; NOTIFY x"), "reset"),
    Scenario("a session left", leave_idle, "reset"),
    Scenario("session settings", in_a_session("SET search_path TO nowhere"), "reset"),
    Scenario("a message in the log", run("SELECT pg_logical_emit_message(true, 'a', 'b')", role="superuser"), "reset"),
    Scenario("insert", run("INSERT INTO item (name) VALUES ('a')"), "reset"),
    Scenario("insert and delete", run("INSERT INTO item (name) VALUES ('a')", "DELETE FROM item"), "reset"),
    Scenario("insert, rolled back", run("INSERT INTO item (name) VALUES ('a')", commit=False), "reset"),
    Scenario(
        "insert, aborted",
        run("DO $$BEGIN INSERT INTO ruled VALUES (1); RAISE 'x'; EXCEPTION WHEN raise_exception THEN NULL; END$$"),
        "reset",
    ),
    Scenario(
        "savepoints",
        run("BEGIN", "SAVEPOINT a", "INSERT INTO item (name) VALUES ('a')", "ROLLBACK TO a", "COMMIT"),
        "reset",
    ),
    Scenario(
        "parent and child",
        run("INSERT INTO item (name) VALUES ('a')", "INSERT INTO part (item_id) SELECT id FROM item"),
        "reset",
    ),
    Scenario("a child of a seeded row", run("INSERT INTO painted VALUES (1)"), "reset"),
    Scenario(
        "cascade",
        run(
            "INSERT INTO item (name) VALUES ('a')", "INSERT INTO part (item_id) SELECT id FROM item", "DELETE FROM item"
        ),
        "reset",
    ),
    Scenario("copy in", copy_in, "reset"),
    Scenario("by the app", run("INSERT INTO item (name) VALUES ('app')", role="app"), "reset"),
    Scenario(
        "wide rows",
        run("INSERT INTO item (name) SELECT string_agg(md5(n::text), '') FROM generate_series(1, 80) n"),
        "reset",
    ),
    Scenario("a partition", run("INSERT INTO event VALUES ('2026-05-05', 'x')"), "reset"),
    Scenario("an unlogged table", run("INSERT INTO scratch VALUES ('a', repeat('b', 100000))"), "reset"),
    Scenario("nextval", run("SELECT nextval('item_id_seq')"), "reset"),
    Scenario("nextval of a used sequence", run("SELECT nextval('ticket')"), "reset"),
    Scenario("nextval a thousand times", run("SELECT nextval('ticket') FROM generate_series(1, 1000)"), "reset"),
    Scenario("setval", run("SELECT setval('ticket', 7)"), "reset"),
    Scenario("setval to what it was", run("SELECT setval('ticket', 101)"), "reset"),
    Scenario("a transaction left open", leave_open, "reset"),
    Scenario("a killed writer", kill_a_writer, "reset"),
    Scenario("rules on the table", run("INSERT INTO ruled VALUES (1)"), "reset"),
    Scenario("row security", run("INSERT INTO guarded VALUES (1)", role="superuser"), "reset"),
    Scenario("odd names, gin", run("""INSERT INTO "odd ""name"" %s {}" VALUES ('x', 'a b c')"""), "reset"),
    Scenario(
        "more than is worth reading",
        run("INSERT INTO item (name) SELECT repeat(n::text, 50) FROM generate_series(1, 20000) n"),
        "cloned",
    ),
    Scenario("triggers that always fire", run("INSERT INTO audited VALUES (1)"), "cloned"),
    Scenario("a seeded row changed", run("UPDATE colour SET name = 'blue' WHERE id = 1"), "cloned"),
    Scenario("a seeded row deleted", run("DELETE FROM colour WHERE id = 1"), "cloned"),
    Scenario("a row next to seeded ones", run("INSERT INTO colour VALUES (3, 'x')"), "cloned"),
    Scenario("a prepared transaction", leave_prepared, "cloned"),
    Scenario("a large object", make_a_large_object, "cloned"),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_next_database_has_the_templates_rows(server: TrialServer, original: str, scenario: Scenario) -> None:
    """Whatever a test wrote, the next one's database is dumped like an untouched one, or is a new clone."""
    check(scenario, server, original)


def test_a_database_that_nobody_wrote_to_is_not_touched(server: TrialServer) -> None:
    """After a test that only read, nothing is emptied and nothing set."""
    clone = server.clone(migrated=False)
    with server.open(clone).connect() as connection:
        connection.execute("SELECT count(*) FROM pg_class")
    again = server.cloner.reset(clone)
    assert again is not None
    assert again.how == "reused, nothing was written"


def test_a_reset_that_fails_becomes_a_clone(server: TrialServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the server refuses to empty a table, a new clone takes the place, and the reason is the server's."""
    clone = server.clone()
    with server.open(clone).connect() as connection:
        connection.execute("INSERT INTO item (name) VALUES ('a')")
    monkeypatch.setattr(Undo, "statement", lambda undo, layout: sql.SQL("SELECT 1, 2; SELECT 1 / 0"))
    assert server.cloner.reset(clone) is None
    assert "division by zero" in server.cloner.reason
    server.cloner.drop(clone)
