"""Each planted difference between models and migrations is found, with the operation that closes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from harness.catalog import Snapshot, read_snapshot
from harness.databases.databases import Database
from harness.findings import Finding
from harness.schema.drift.drift import declared, schema_drift

METADATA = sa.MetaData()
sa.Table(
    "account",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("mail", sa.Text, nullable=False),
    sa.Column("state", postgresql.ENUM("open", "closed", name="state"), server_default="open"),
    sa.Column("age", sa.Integer, comment="in years"),
    sa.Column("doubled", sa.Integer, sa.Computed("age * 2", persisted=True)),
    sa.CheckConstraint("age > 0", name="ck_age"),
    sa.UniqueConstraint("mail", name="uq_mail"),
    sa.Index("ix_age", "age", postgresql_where=sa.text("age > 10"), postgresql_include=["mail"]),
    sa.Index("ix_mail", "mail"),
    comment="who has one",
)
sa.Table(
    "entry",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column(
        "account_id", sa.BigInteger, sa.ForeignKey("account.id", name="fk_account", ondelete="CASCADE"), nullable=False
    ),
)
EVENTS = """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON account FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW adults AS SELECT id FROM account WHERE age >= 18;
ALTER TABLE entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON entry USING (id > 0);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
"""
sa.event.listen(METADATA, "after_create", sa.DDL(EVENTS.replace("%", "%%")))  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy


@dataclass(frozen=True)
class Plant:
    """A statement on the migrated side, the objects found, and a part of what closes the difference."""

    name: str
    statement: str
    found: tuple[str, ...]
    closes: str


PLANTS = [
    Plant("CHECK text",
          "ALTER TABLE account DROP CONSTRAINT ck_age; ALTER TABLE account ADD CONSTRAINT ck_age CHECK (age > 1)",
          ("constraint public.account.ck_age definition",), "op.create_check_constraint('ck_age', 'account', 'age >"),
    Plant("CHECK missing", "ALTER TABLE account DROP CONSTRAINT ck_age",
          ("constraint public.account.ck_age",), "op.create_check_constraint('ck_age', 'account', 'age > 0')"),
    Plant("default", "ALTER TABLE account ALTER state SET DEFAULT 'closed'",
          ("column public.account.state default",), "server_default='open'"),
    Plant("type", "ALTER TABLE entry ALTER account_id TYPE int",
          ("column public.entry.account_id type",), "type_=sa.BigInteger()"),
    Plant("nullability", "ALTER TABLE account ALTER age SET NOT NULL",
          ("column public.account.age nullability",), "nullable=True"),
    Plant("column missing", "ALTER TABLE account DROP COLUMN doubled",
          ("column public.account.doubled",), "op.add_column('account', sa.Column('doubled'"),
    Plant("column too many", "ALTER TABLE account ADD COLUMN extra int",
          ("column public.account.extra",), 'op.drop_column("account", "extra")'),
    Plant("enum value order", "ALTER TABLE account DROP COLUMN state; DROP TYPE state;"
          "CREATE TYPE state AS ENUM ('closed', 'open'); ALTER TABLE account ADD state state DEFAULT 'open'",
          ("type public.state labels",), "AS ENUM ('open', 'closed')"),
    Plant("enum value missing", "ALTER TABLE account DROP COLUMN state; DROP TYPE state;"
          "CREATE TYPE state AS ENUM ('open'); ALTER TABLE account ADD state state DEFAULT 'open'",
          ("type public.state labels",), "ADD VALUE 'closed'"),
    Plant("index predicate",
          "DROP INDEX ix_age; CREATE INDEX ix_age ON account (age) INCLUDE (mail) WHERE age > 9",
          ("index public.account.ix_age definition",), "postgresql_where=sa.text('age > 10')"),
    Plant("index INCLUDE", "DROP INDEX ix_age; CREATE INDEX ix_age ON account (age) WHERE age > 10",
          ("index public.account.ix_age definition",), "postgresql_include=['mail']"),
    Plant("index opclass", "DROP INDEX ix_mail; CREATE INDEX ix_mail ON account (mail text_pattern_ops)",
          ("index public.account.ix_mail definition",), "op.create_index('ix_mail', 'account', ['mail']"),
    Plant("index missing", "DROP INDEX ix_mail",
          ("index public.account.ix_mail",), "op.create_index('ix_mail', 'account', ['mail']"),
    Plant("index too many", "CREATE INDEX extra ON account (id, age)",
          ("index public.account.extra",), 'op.drop_index("extra", "account", if_exists=True, postgresql_conc'),
    Plant("collation", 'ALTER TABLE account ALTER mail TYPE text COLLATE "C"',
          ("column public.account.mail collation",), "COLLATE pg_catalog"),
    Plant("computed expression", "ALTER TABLE account DROP COLUMN doubled;"
          "ALTER TABLE account ADD doubled int GENERATED ALWAYS AS (age * 3) STORED",
          ("column public.account.doubled computed",), "sa.Computed('age * 2'"),
    Plant("identity", "ALTER TABLE account ALTER id SET GENERATED BY DEFAULT",
          ("column public.account.id identity",), "SET GENERATED ALWAYS"),
    Plant("comment of a column", "COMMENT ON COLUMN account.age IS NULL",
          ("column public.account.age comment",), "comment='in years'"),
    Plant("comment of a table", "COMMENT ON TABLE account IS 'x'",
          ("table public.account comment",), "COMMENT ON TABLE public.account IS 'who has one'"),
    Plant("deferrability", "ALTER TABLE entry ALTER CONSTRAINT fk_account DEFERRABLE",
          ("constraint public.entry.fk_account definition",), "op.create_foreign_key('fk_account'"),
    Plant("ON DELETE", "ALTER TABLE entry DROP CONSTRAINT fk_account;"
          "ALTER TABLE entry ADD CONSTRAINT fk_account FOREIGN KEY (account_id) REFERENCES account",
          ("constraint public.entry.fk_account definition",), "ondelete='CASCADE'"),
    Plant("unvalidated constraint", "ALTER TABLE entry DROP CONSTRAINT fk_account; ALTER TABLE entry ADD CONSTRAINT"
          " fk_account FOREIGN KEY (account_id) REFERENCES account ON DELETE CASCADE NOT VALID",
          ("constraint public.entry.fk_account definition",), "VALIDATE CONSTRAINT fk_account"),
    Plant("trigger missing", "DROP TRIGGER touched ON account",
          ("trigger public.account.touched",), "CREATE TRIGGER touched BEFORE UPDATE"),
    Plant("trigger disabled", "ALTER TABLE account DISABLE TRIGGER touched",
          ("trigger public.account.touched enabled",), "ENABLE TRIGGER touched"),
    Plant("trigger's event", "DROP TRIGGER touched ON account;"
          "CREATE TRIGGER touched BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION touch()",
          ("trigger public.account.touched definition",), "CREATE TRIGGER touched BEFORE UPDATE"),
    Plant("function", "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
          ("function public.touch() definition",), "CREATE OR REPLACE FUNCTION public.touch()"),
    Plant("function too many", "CREATE FUNCTION extra(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
          ("function public.extra(integer)",), "DROP ROUTINE public.extra(integer)"),
    Plant("view", "CREATE OR REPLACE VIEW adults AS SELECT id FROM account WHERE age >= 21",
          ("view public.adults definition",), "CREATE OR REPLACE VIEW public.adults AS"),
    Plant("view missing", "DROP VIEW adults", ("view public.adults",), "CREATE VIEW public.adults AS"),
    Plant("grant", "GRANT SELECT ON account TO PUBLIC",
          ("table public.account grants",), "REVOKE SELECT ON public.account FROM PUBLIC"),
    Plant("grant on a column", "GRANT SELECT (mail) ON account TO PUBLIC",
          ("column public.account.mail grants",), "REVOKE SELECT (mail) ON public.account FROM PUBLIC"),
    Plant("policy", "ALTER POLICY mine ON entry USING (id > 1)",
          ("policy public.entry.mine using",), "CREATE POLICY mine ON public.entry"),
    Plant("policy missing", "DROP POLICY mine ON entry", ("policy public.entry.mine",), "CREATE POLICY mine"),
    Plant("row-level security", "ALTER TABLE entry DISABLE ROW LEVEL SECURITY",
          ("table public.entry row security",), "ENABLE ROW LEVEL SECURITY"),
    Plant("owner", "RESET ROLE; ALTER TABLE entry OWNER TO {superuser}",
          ("sequence public.entry_id_seq grants", "sequence public.entry_id_seq owner",
           "table public.entry grants", "table public.entry owner"), "OWNER TO"),
    Plant("unlogged", "ALTER TABLE entry SET UNLOGGED",
          ("sequence public.entry_id_seq persistence", "table public.entry persistence"), "SET LOGGED"),
    Plant("options", "ALTER TABLE entry SET (fillfactor = 70)", ("table public.entry options",), "ALTER TABLE"),
    Plant("domain", "ALTER DOMAIN positive DROP CONSTRAINT positive_check",
          ("type public.positive checks",), "ALTER DOMAIN public.positive"),
    Plant("table missing", "DROP TABLE entry", ("table public.entry",), "op.create_table('entry'"),
    Plant("table too many", "CREATE TABLE extra (id bigint PRIMARY KEY)",
          ("table public.extra",), 'op.drop_table("extra")'),
    Plant("sequence", "ALTER SEQUENCE entry_id_seq CACHE 20", ("sequence public.entry_id_seq cache",), "CACHE 1"),
    Plant("schema", "CREATE SCHEMA extra", ("schema extra",), "DROP SCHEMA extra"),
    Plant("statistics", "CREATE STATISTICS st ON id, age FROM account",
          ("statistics public.st",), "DROP STATISTICS public.st"),
    Plant("replica identity", "ALTER TABLE entry REPLICA IDENTITY FULL",
          ("table public.entry replica identity",), "REPLICA IDENTITY"),
    Plant("storage", "ALTER TABLE account ALTER mail SET STORAGE EXTERNAL",
          ("column public.account.mail storage",), "SET STORAGE"),
]  # fmt: skip


@pytest.fixture(scope="module")
def models(harness_run: Any) -> Iterator[tuple[Database, Snapshot]]:
    """The database that create_all() has made, and its snapshot."""
    fresh = harness_run.databases.create(migrated=False)
    snapshot = declared(METADATA, fresh.engine)
    yield fresh, snapshot
    fresh.dispose()
    harness_run.databases.drop(fresh)


@pytest.fixture
def migrated(empty_database: Database, models: tuple[Database, Snapshot]) -> Iterator[psycopg.Connection[Any]]:
    """A session where everything is as the models say, so far: a superuser's, who has become the owner."""
    declared(METADATA, empty_database.engine)
    with empty_database.as_role("superuser").connect(autocommit=True) as connection:
        connection.execute(f'SET ROLE "{empty_database.roles.name("owner")}"')
        yield connection


def found(models: Snapshot, connection: psycopg.Connection[Any]) -> list[Finding]:
    """What drifts between the models and the database behind `connection`."""
    return schema_drift(METADATA, models, read_snapshot(connection))


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_planted_difference_is_seen_with_what_closes_it(
    plant: Plant, models: tuple[Database, Snapshot], migrated: psycopg.Connection[Any]
) -> None:
    """Exactly the attribute that differs is named, and its fix says how the models' side is reached."""
    superuser = migrated.info.user
    migrated.execute(plant.statement.format(superuser=superuser).encode())
    findings = found(models[1], migrated)
    assert tuple(finding.object for finding in findings) == plant.found
    assert any(plant.closes in finding.fix for finding in findings), [finding.fix for finding in findings]


def test_nothing_drifts_where_both_sides_agree(
    models: tuple[Database, Snapshot], migrated: psycopg.Connection[Any]
) -> None:
    """Two databases made from the same models show no difference, and it reads both ways alike."""
    assert found(models[1], migrated) == []
    assert schema_drift(METADATA, read_snapshot(migrated), models[1]) == []


def test_a_difference_reads_from_both_sides(
    models: tuple[Database, Snapshot], migrated: psycopg.Connection[Any]
) -> None:
    """The message says whether the models or the migrations lack the object."""
    migrated.execute("CREATE INDEX extra ON account (id, age)")
    snapshot = read_snapshot(migrated)
    [lacking] = schema_drift(METADATA, models[1], snapshot)
    [surplus] = schema_drift(METADATA, snapshot, models[1])
    assert lacking.message.startswith("the migrations make it, the models do not declare it")
    assert surplus.message.startswith("the models declare it, the migrations do not make it")
