"""After a change of the schema the next test gets a clone."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from harness.databases.databases import Database
from tests.harness.databases.scenarios import Scenario, check, run

if TYPE_CHECKING:
    from tests.harness.databases.conftest import TrialServer

pytestmark = pytest.mark.integration


def _back_and_forth(database: Database, stack: contextlib.ExitStack) -> None:
    run("CREATE TABLE extra (id int)", "DROP TABLE extra")(database, stack)


SCENARIOS = [
    Scenario("a table", run("CREATE TABLE extra (id int)"), "cloned"),
    Scenario("a table made and dropped", _back_and_forth, "cloned"),
    Scenario("an unlogged table made", run("CREATE UNLOGGED TABLE extra (id int)"), "cloned"),
    Scenario("a temporary table", run("CREATE TEMPORARY TABLE t (id int)", "INSERT INTO t VALUES (1)"), "cloned"),
    Scenario("SELECT INTO", run("SELECT 1 AS x INTO extra"), "cloned"),
    Scenario("a column", run("ALTER TABLE item ADD COLUMN more int"), "cloned"),
    Scenario("a default", run("ALTER TABLE item ALTER COLUMN name SET DEFAULT 'x'"), "cloned"),
    Scenario("a column's type", run("ALTER TABLE part ALTER COLUMN weight TYPE bigint"), "cloned"),
    Scenario("a renamed column", run("ALTER TABLE item RENAME COLUMN name TO title"), "cloned"),
    Scenario("a dropped table", run("DROP TABLE part CASCADE"), "cloned"),
    Scenario("truncate", run("INSERT INTO item (name) VALUES ('a')", "TRUNCATE item CASCADE"), "cloned"),
    Scenario("truncate, restart identity", run("TRUNCATE ruled RESTART IDENTITY"), "cloned"),
    Scenario("truncate and copy in one transaction", run("TRUNCATE ruled", "INSERT INTO ruled VALUES (1)"), "cloned"),
    Scenario("set unlogged", run("ALTER TABLE ruled SET UNLOGGED"), "cloned"),
    Scenario("an index", run("CREATE INDEX extra ON item (name)"), "cloned"),
    Scenario("an index, concurrently", run("CREATE INDEX CONCURRENTLY extra ON item (name)"), "cloned"),
    Scenario("reindex", run("REINDEX TABLE item"), "cloned"),
    Scenario("a constraint", run("ALTER TABLE part ADD CHECK (weight > 0) NOT VALID"), "cloned"),
    Scenario("a view", run("CREATE VIEW extra AS SELECT 1"), "cloned"),
    Scenario("a refreshed view", run("REFRESH MATERIALIZED VIEW heavy"), "cloned"),
    Scenario("a function", run("CREATE FUNCTION extra() RETURNS int LANGUAGE sql RETURN 1"), "cloned"),
    Scenario(
        "a replaced function",
        run("CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"),
        "cloned",
    ),
    Scenario("a trigger switched off", run("ALTER TABLE audited DISABLE TRIGGER always"), "cloned"),
    Scenario("an enum's value", run("ALTER TYPE mood ADD VALUE 'fair'"), "cloned"),
    Scenario("a domain", run("ALTER DOMAIN positive DROP CONSTRAINT positive_check"), "cloned"),
    Scenario("a sequence altered", run("ALTER SEQUENCE ticket INCREMENT 5"), "cloned"),
    Scenario("a sequence restarted", run("ALTER SEQUENCE ticket RESTART"), "cloned"),
    Scenario("a schema", run("CREATE SCHEMA extra"), "cloned"),
    Scenario("an extension", run("CREATE EXTENSION citext"), "cloned"),
    Scenario("a comment", run("COMMENT ON TABLE item IS 'x'"), "cloned"),
    Scenario("a grant", run("GRANT DELETE ON item TO PUBLIC"), "cloned"),
    Scenario("default privileges", run("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC"), "cloned"),
    Scenario("a policy", run("CREATE POLICY extra ON guarded USING (true)"), "cloned"),
    Scenario("statistics", run("INSERT INTO item (name) VALUES ('a')", "ANALYZE item"), "cloned"),
    Scenario("extended statistics", run("CREATE STATISTICS extra ON id, name FROM item"), "cloned"),
    Scenario("vacuum full of a catalogue", run("VACUUM FULL pg_class", role="superuser"), "cloned"),
    Scenario("vacuum full", run("VACUUM FULL item"), "cloned"),
    Scenario("a publication", run("CREATE PUBLICATION extra FOR TABLE item", role="superuser"), "cloned"),
    Scenario(
        "a partition made",
        run("CREATE TABLE event_2027 PARTITION OF event FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')"),
        "cloned",
    ),
    Scenario("a partition detached", run("ALTER TABLE event DETACH PARTITION event_2026"), "cloned"),
    Scenario(
        "an event trigger",
        run(
            "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
            "CREATE EVENT TRIGGER extra ON ddl_command_start EXECUTE FUNCTION e()",
            role="superuser",
        ),
        "cloned",
    ),
    Scenario(
        "a foreign server",
        run("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER extra FOREIGN DATA WRAPPER w", role="superuser"),
        "cloned",
    ),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_next_database_has_the_templates_schema(server: TrialServer, original: str, scenario: Scenario) -> None:
    """Every change other than of rows is seen, and the next database is a clone."""
    check(scenario, server, original)
