"""What a drift's fix says, done as it is written: afterwards nothing drifts."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.dialects import postgresql

from harness.catalog import Snapshot, read_snapshot
from harness.databases.databases import Database
from harness.findings import Finding
from harness.schema.drift.drift import declared, schema_drift

METADATA = sa.MetaData()
sa.Table(
    "booking",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("room", sa.Integer, nullable=False),
    sa.CheckConstraint("room > 0", name="ck_room"),
    sa.CheckConstraint("room < 1000", name="ck_low"),
    sa.Index("ix_room", "room"),
    sa.Index("ix_room_id", "room", "id"),
)
EVENTS = (
    "ALTER TABLE booking ADD CONSTRAINT ex_room EXCLUDE (room WITH =)",
    "COMMENT ON CONSTRAINT ck_room ON booking IS 'rooms are counted from one'",
    "COMMENT ON INDEX ix_room IS 'for the list of a room'",
    "CREATE FUNCTION first_room() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "COMMENT ON FUNCTION first_room() IS 'the one on the left'",
    "CREATE FUNCTION last_room() RETURNS int LANGUAGE sql AS 'SELECT 999'",
    "CREATE DOMAIN floor AS int DEFAULT 1 NOT NULL CONSTRAINT ck_floor CHECK (VALUE > 0)",
    "CREATE TYPE season AS ENUM ('low', 'high')",
    "CREATE TYPE place AS (floor int, room int)",
    "CREATE SCHEMA annex",
    "CREATE SEQUENCE ticket",
    "CREATE MATERIALIZED VIEW rooms AS SELECT DISTINCT room FROM booking",
)
for each in EVENTS:
    sa.event.listen(METADATA, "after_create", sa.DDL(each))  # type: ignore[no-untyped-call]  # SQLAlchemy gives it no types


@pytest.fixture(scope="module")
def models(harness_run: Any) -> Iterator[Snapshot]:
    """What the models declare."""
    fresh = harness_run.databases.create(migrated=False)
    yield declared(METADATA, fresh.engine)
    fresh.dispose()
    harness_run.databases.drop(fresh)


def remaining(models: Snapshot, database: Database) -> list[Finding]:
    """What drifts between the models and a database."""
    with database.connect() as connection:
        return schema_drift(METADATA, models, read_snapshot(connection))


def body(fix: str) -> str:
    """What of a fix goes into a revision."""
    return dedent(fix.partition("\nmodel: ")[0].removeprefix("migration:")).strip()


def close(found: list[Finding], database: Database) -> None:
    """Run the fixes as the body of a revision's upgrade()."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        with context.begin_transaction(), Operations.context(context) as op:
            for finding in found:
                exec(body(finding.fix), {"op": op, "sa": sa, "postgresql": postgresql})  # it is what is tested


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE booking DROP CONSTRAINT ex_room",
        "ALTER TABLE booking DROP CONSTRAINT ck_low",
        "COMMENT ON CONSTRAINT ck_room ON booking IS NULL",
        "COMMENT ON INDEX ix_room IS 'of former times'",
        "COMMENT ON FUNCTION first_room() IS NULL",
        "GRANT EXECUTE ON FUNCTION first_room() TO PUBLIC",
        "DROP FUNCTION last_room()",
        "DROP DOMAIN floor",
        "ALTER DOMAIN floor SET DEFAULT 2",
        "DROP TYPE season",
        "DROP TYPE place",
        "DROP SCHEMA annex",
        "DROP SEQUENCE ticket",
        "DROP MATERIALIZED VIEW rooms",
        "DROP INDEX ix_room_id",
        "DROP INDEX ix_room_id; CREATE INDEX ix_room_id ON booking (room, id) WHERE room > 3",
        "CREATE INDEX extra ON booking (id, room)",
        "ALTER TABLE booking ALTER room DROP NOT NULL",
        "ALTER TABLE booking ADD COLUMN extra int",
        "ALTER TABLE booking ADD CONSTRAINT extra UNIQUE (room)",
        "CREATE DOMAIN extra AS int",
        "CREATE VIEW extra AS SELECT 1 AS one",
    ],
)
def test_the_fix_of_a_drift_closes_it(statement: str, models: Snapshot, empty_database: Database) -> None:
    """Pasted into a revision, it makes the database what the models declare."""
    declared(METADATA, empty_database.engine)
    with empty_database.connect() as connection:
        connection.execute(statement.encode())
    found = remaining(models, empty_database)
    assert found, "nothing drifts"
    close(found, empty_database)
    assert remaining(models, empty_database) == []
