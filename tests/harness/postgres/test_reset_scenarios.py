"""What a test can do to its database: afterwards the next one is as the template, or is a new copy."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness.postgres.copies import Copy
from harness.postgres.databases import Database

if TYPE_CHECKING:
    from tests.harness.postgres.conftest import Ground

pytestmark = pytest.mark.integration

Test = Callable[[Database, contextlib.ExitStack], Any]


@dataclass(frozen=True)
class Scenario:
    """A test's deeds, and what is expected of the harness: `reset` or `cloned`.

    The template holds an unlogged table, which the log says nothing about, so it is reset after every test.
    """

    name: str
    deeds: Test
    expected: str


def _sql(*statements: str, role: str = "migrator", commit: bool = True) -> Test:
    """A test that runs statements, each in a transaction of its own unless `commit` is False."""

    def deeds(database: Database, stack: contextlib.ExitStack) -> None:
        with contextlib.closing(database.as_role(role).connect(autocommit=commit)) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    return deeds


def _left_open(database: Database, stack: contextlib.ExitStack) -> None:
    connection = stack.enter_context(contextlib.closing(database.connect()))
    connection.execute("INSERT INTO item (name) VALUES ('open')")


def _idle(database: Database, stack: contextlib.ExitStack) -> None:
    stack.enter_context(contextlib.closing(database.connect())).execute("SELECT 1")


def _in_another_session(statement: str) -> Test:
    def deeds(database: Database, stack: contextlib.ExitStack) -> None:
        connection = stack.enter_context(contextlib.closing(database.as_role("superuser").connect(autocommit=True)))
        connection.execute(statement.encode())

    return deeds


def _killed_writer(database: Database, stack: contextlib.ExitStack) -> None:
    victim = stack.enter_context(contextlib.closing(database.connect()))
    victim.execute("INSERT INTO item (name) SELECT n::text FROM generate_series(1, 1000) AS n")
    with database.as_role("superuser").connect(autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [victim.info.backend_pid])


def _prepared(database: Database, stack: contextlib.ExitStack) -> None:
    with contextlib.closing(database.connect()) as connection:
        connection.tpc_begin(connection.xid(1, "left", "behind"))
        connection.execute("INSERT INTO item (name) VALUES ('prepared')")
        connection.tpc_prepare()


def _large_object(database: Database, stack: contextlib.ExitStack) -> None:
    with database.connect() as connection:
        connection.execute("SELECT lo_from_bytea(0, 'abc')")


def _copied_in(database: Database, stack: contextlib.ExitStack) -> None:
    with database.connect() as connection, connection.cursor().copy("COPY item (name) FROM STDIN") as copy:
        for number in range(500):
            copy.write_row([f"copied {number}"])


def _from_outside(statement: str) -> Test:
    """A superuser's statement from another database, `{}` standing for the test's."""

    def deeds(database: Database, stack: contextlib.ExitStack) -> None:
        with database.server.connect(autocommit=True) as connection:
            connection.execute(statement.format(f'"{database.name}"').encode())

    return deeds


def _back_and_forth(database: Database, stack: contextlib.ExitStack) -> None:
    _sql("CREATE TABLE extra (id int)", "DROP TABLE extra")(database, stack)


SCENARIOS = [
    Scenario("nothing", lambda database, stack: None, "reset"),
    Scenario("read", _sql("SELECT * FROM item", "SELECT * FROM colour"), "reset"),
    Scenario("lock rows", _sql("SELECT * FROM colour FOR UPDATE", "SELECT * FROM colour FOR KEY SHARE"), "reset"),
    Scenario("lock a table", _sql("BEGIN", "LOCK TABLE item", "COMMIT"), "reset"),
    Scenario("an advisory lock", _in_another_session("SELECT pg_advisory_lock(1)"), "reset"),
    Scenario("LISTEN and NOTIFY", _in_another_session("LISTEN x; NOTIFY x"), "reset"),
    Scenario("a session left", _idle, "reset"),
    Scenario("session settings", _in_another_session("SET search_path TO nowhere"), "reset"),
    Scenario("a message in the log", _sql("SELECT pg_logical_emit_message(true, 'a', 'b')", role="superuser"), "reset"),
    Scenario("insert", _sql("INSERT INTO item (name) VALUES ('a')"), "reset"),
    Scenario("insert and delete", _sql("INSERT INTO item (name) VALUES ('a')", "DELETE FROM item"), "reset"),
    Scenario("insert, rolled back", _sql("INSERT INTO item (name) VALUES ('a')", commit=False), "reset"),
    Scenario(
        "insert, aborted",
        _sql("DO $$BEGIN INSERT INTO ruled VALUES (1); RAISE 'x'; EXCEPTION WHEN raise_exception THEN NULL; END$$"),
        "reset",
    ),
    Scenario(
        "savepoints",
        _sql("BEGIN", "SAVEPOINT a", "INSERT INTO item (name) VALUES ('a')", "ROLLBACK TO a", "COMMIT"),
        "reset",
    ),
    Scenario(
        "parent and child",
        _sql("INSERT INTO item (name) VALUES ('a')", "INSERT INTO part (item_id) SELECT id FROM item"),
        "reset",
    ),
    Scenario("a child of a seeded row", _sql("INSERT INTO painted VALUES (1)"), "reset"),
    Scenario(
        "cascade",
        _sql(
            "INSERT INTO item (name) VALUES ('a')", "INSERT INTO part (item_id) SELECT id FROM item", "DELETE FROM item"
        ),
        "reset",
    ),
    Scenario("copy in", _copied_in, "reset"),
    Scenario("by the app", _sql("INSERT INTO item (name) VALUES ('app')", role="app"), "reset"),
    Scenario(
        "wide rows",
        _sql("INSERT INTO item (name) SELECT string_agg(md5(n::text), '') FROM generate_series(1, 80) n"),
        "reset",
    ),
    Scenario("a partition", _sql("INSERT INTO event VALUES ('2026-05-05', 'x')"), "reset"),
    Scenario("an unlogged table", _sql("INSERT INTO scratch VALUES ('a', repeat('b', 100000))"), "reset"),
    Scenario("nextval", _sql("SELECT nextval('item_id_seq')"), "reset"),
    Scenario("nextval of a used sequence", _sql("SELECT nextval('ticket')"), "reset"),
    Scenario("nextval a thousand times", _sql("SELECT nextval('ticket') FROM generate_series(1, 1000)"), "reset"),
    Scenario("setval", _sql("SELECT setval('ticket', 7)"), "reset"),
    Scenario("setval to what it was", _sql("SELECT setval('ticket', 101)"), "reset"),
    Scenario("a transaction left open", _left_open, "reset"),
    Scenario("a killed writer", _killed_writer, "reset"),
    Scenario("rules on the table", _sql("INSERT INTO ruled VALUES (1)"), "reset"),
    Scenario("row security", _sql("INSERT INTO guarded VALUES (1)", role="superuser"), "reset"),
    Scenario("odd names, gin", _sql("""INSERT INTO "odd ""name"" %s {}" VALUES ('x', 'a b c')"""), "reset"),
    Scenario(
        "more than is worth reading",
        _sql("INSERT INTO item (name) SELECT repeat(n::text, 50) FROM generate_series(1, 20000) n"),
        "cloned",
    ),
    Scenario("triggers that always fire", _sql("INSERT INTO audited VALUES (1)"), "cloned"),
    Scenario("a seeded row changed", _sql("UPDATE colour SET name = 'blue' WHERE id = 1"), "cloned"),
    Scenario("a seeded row deleted", _sql("DELETE FROM colour WHERE id = 1"), "cloned"),
    Scenario("a row beside seeded ones", _sql("INSERT INTO colour VALUES (3, 'x')"), "cloned"),
    Scenario("a prepared transaction", _prepared, "cloned"),
    Scenario("a large object", _large_object, "cloned"),
    Scenario("a table", _sql("CREATE TABLE extra (id int)"), "cloned"),
    Scenario("a table made and dropped", _back_and_forth, "cloned"),
    Scenario("an unlogged table made", _sql("CREATE UNLOGGED TABLE extra (id int)"), "cloned"),
    Scenario("a temporary table", _sql("CREATE TEMPORARY TABLE t (id int)", "INSERT INTO t VALUES (1)"), "cloned"),
    Scenario("SELECT INTO", _sql("SELECT 1 AS x INTO extra"), "cloned"),
    Scenario("a column", _sql("ALTER TABLE item ADD COLUMN more int"), "cloned"),
    Scenario("a default", _sql("ALTER TABLE item ALTER COLUMN name SET DEFAULT 'x'"), "cloned"),
    Scenario("a column's type", _sql("ALTER TABLE part ALTER COLUMN weight TYPE bigint"), "cloned"),
    Scenario("a renamed column", _sql("ALTER TABLE item RENAME COLUMN name TO title"), "cloned"),
    Scenario("a dropped table", _sql("DROP TABLE part CASCADE"), "cloned"),
    Scenario("truncate", _sql("INSERT INTO item (name) VALUES ('a')", "TRUNCATE item CASCADE"), "cloned"),
    Scenario("truncate, restart identity", _sql("TRUNCATE ruled RESTART IDENTITY"), "cloned"),
    Scenario("truncate and copy in one transaction", _sql("TRUNCATE ruled", "INSERT INTO ruled VALUES (1)"), "cloned"),
    Scenario("set unlogged", _sql("ALTER TABLE ruled SET UNLOGGED"), "cloned"),
    Scenario("an index", _sql("CREATE INDEX extra ON item (name)"), "cloned"),
    Scenario("an index, concurrently", _sql("CREATE INDEX CONCURRENTLY extra ON item (name)"), "cloned"),
    Scenario("reindex", _sql("REINDEX TABLE item"), "cloned"),
    Scenario("a constraint", _sql("ALTER TABLE part ADD CHECK (weight > 0) NOT VALID"), "cloned"),
    Scenario("a view", _sql("CREATE VIEW extra AS SELECT 1"), "cloned"),
    Scenario("a refreshed view", _sql("REFRESH MATERIALIZED VIEW heavy"), "cloned"),
    Scenario("a function", _sql("CREATE FUNCTION extra() RETURNS int LANGUAGE sql RETURN 1"), "cloned"),
    Scenario(
        "a replaced function",
        _sql("CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"),
        "cloned",
    ),
    Scenario("a trigger switched off", _sql("ALTER TABLE audited DISABLE TRIGGER always"), "cloned"),
    Scenario("an enum's value", _sql("ALTER TYPE mood ADD VALUE 'fair'"), "cloned"),
    Scenario("a domain", _sql("ALTER DOMAIN positive DROP CONSTRAINT positive_check"), "cloned"),
    Scenario("a sequence altered", _sql("ALTER SEQUENCE ticket INCREMENT 5"), "cloned"),
    Scenario("a sequence restarted", _sql("ALTER SEQUENCE ticket RESTART"), "cloned"),
    Scenario("a schema", _sql("CREATE SCHEMA extra"), "cloned"),
    Scenario("an extension", _sql("CREATE EXTENSION citext"), "cloned"),
    Scenario("a comment", _sql("COMMENT ON TABLE item IS 'x'"), "cloned"),
    Scenario("a grant", _sql("GRANT DELETE ON item TO PUBLIC"), "cloned"),
    Scenario("default privileges", _sql("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC"), "cloned"),
    Scenario("a policy", _sql("CREATE POLICY extra ON guarded USING (true)"), "cloned"),
    Scenario("statistics", _sql("INSERT INTO item (name) VALUES ('a')", "ANALYZE item"), "cloned"),
    Scenario("extended statistics", _sql("CREATE STATISTICS extra ON id, name FROM item"), "cloned"),
    Scenario("vacuum full of a catalogue", _sql("VACUUM FULL pg_class", role="superuser"), "cloned"),
    Scenario("vacuum full", _sql("VACUUM FULL item"), "cloned"),
    Scenario("a publication", _sql("CREATE PUBLICATION extra FOR TABLE item", role="superuser"), "cloned"),
    Scenario(
        "a partition made",
        _sql("CREATE TABLE event_2027 PARTITION OF event FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')"),
        "cloned",
    ),
    Scenario("a partition detached", _sql("ALTER TABLE event DETACH PARTITION event_2026"), "cloned"),
    Scenario(
        "an event trigger",
        _sql(
            "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
            "CREATE EVENT TRIGGER extra ON ddl_command_start EXECUTE FUNCTION e()",
            role="superuser",
        ),
        "cloned",
    ),
    Scenario(
        "a foreign server",
        _sql("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER extra FOREIGN DATA WRAPPER w", role="superuser"),
        "cloned",
    ),
    Scenario("a setting of the database", _from_outside("ALTER DATABASE {} SET work_mem TO '8MB'"), "cloned"),
    Scenario(
        "a role's setting in the database",
        _from_outside("ALTER ROLE trial_app IN DATABASE {} SET work_mem TO '8MB'"),
        "cloned",
    ),
    Scenario("a comment on the database", _from_outside("COMMENT ON DATABASE {} IS 'x'"), "cloned"),
    Scenario("a grant on the database", _from_outside("GRANT CONNECT ON DATABASE {} TO PUBLIC"), "cloned"),
    Scenario("a limit of connections", _from_outside("ALTER DATABASE {} CONNECTION LIMIT 3"), "cloned"),
    Scenario("another owner", _from_outside("ALTER DATABASE {} OWNER TO trial_owner"), "cloned"),
    Scenario("made a template", _from_outside("ALTER DATABASE {} IS_TEMPLATE true"), "cloned"),
    Scenario("closed", _from_outside("ALTER DATABASE {} ALLOW_CONNECTIONS false"), "cloned"),
    Scenario("renamed", _from_outside("ALTER DATABASE {} RENAME TO elsewhere"), "cloned"),
    Scenario("dropped", _from_outside("DROP DATABASE {}"), "cloned"),
]


SHARED = [
    Scenario(
        "a role",
        _sql("CREATE ROLE extra; CREATE TABLE owned (); ALTER TABLE owned OWNER TO extra", role="superuser"),
        "cloned",
    ),
    Scenario(
        "a role's attributes",
        _sql(
            "ALTER ROLE trial_app CREATEDB CONNECTION LIMIT 5 PASSWORD 'x' VALID UNTIL '2030-01-01'", role="superuser"
        ),
        "cloned",
    ),
    Scenario("a role's name", _sql("ALTER ROLE trial_app RENAME TO extra", role="superuser"), "cloned"),
    Scenario(
        "a role's settings",
        _sql("ALTER ROLE trial_app SET work_mem TO '8MB'; ALTER ROLE trial_migrator RESET ALL", role="superuser"),
        "cloned",
    ),
    Scenario(
        "memberships",
        _sql("GRANT pg_monitor TO trial_app; REVOKE trial_owner FROM trial_migrator", role="superuser"),
        "cloned",
    ),
    Scenario(
        "a setting of the server",
        _sql("ALTER SYSTEM SET work_mem TO '8MB'", "SELECT pg_reload_conf()", role="superuser"),
        "cloned",
    ),
]


@pytest.fixture(scope="session")
def original(ground_of: Ground) -> str:
    """The dump of an untouched copy."""
    return ground_of.dump(ground_of.copy())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_next_database_is_as_the_template(ground_of: Ground, original: str, scenario: Scenario) -> None:
    """Whatever a test did, the next one's database is dumped like an untouched one, or is a new copy."""
    copy = ground_of.copy()
    again = _after(scenario, ground_of, copy)
    assert (scenario.expected == "cloned") is (again is None), again or ground_of.copier.reason
    if again:
        assert ground_of.dump(again) == original
    ground_of.copier.drop(again or copy)


@pytest.mark.parametrize("scenario", SHARED, ids=lambda scenario: scenario.name)
def test_what_all_databases_share_is_put_back(ground_of: Ground, scenario: Scenario) -> None:
    """No copy undoes what a test did to a role or to the server's settings, so the harness does it itself."""
    copy = ground_of.copy()
    before = ground_of.shared()
    assert _after(scenario, ground_of, copy) is None
    assert ground_of.shared() == before


def test_a_database_that_nobody_wrote_to_is_not_touched(ground_of: Ground) -> None:
    """After a test that only read, nothing is emptied and nothing set."""
    copy = ground_of.copy(migrated=False)
    with ground_of.open(copy).connect() as connection:
        connection.execute("SELECT count(*) FROM pg_class")
    again = ground_of.copier.reuse(copy)
    assert again is not None
    assert again.how == "reused, nothing was written"


def test_a_client_of_the_last_test_does_not_reach_the_next_database(ground_of: Ground) -> None:
    """A database that comes back changes its name, so that a thread left running finds it gone, as after a copy."""
    copy = ground_of.copy()
    old = ground_of.open(copy)
    again = ground_of.copier.reuse(copy)
    assert again is not None
    assert again.name != copy.name
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        old.connect()


def _after(scenario: Scenario, ground: Ground, copy: Copy) -> Copy | None:
    """What the harness makes of a database after a test that may still hold it open."""
    with contextlib.ExitStack() as stack:
        scenario.deeds(ground.open(copy), stack)
        return ground.copier.reuse(copy)
