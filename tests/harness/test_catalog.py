"""A snapshot of the catalog is complete, and the difference of two is exact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from harness.catalog import Snapshot, difference, queries, read_snapshot
from harness.databases.databases import Database
from harness.errors import HarnessError

SCHEMA = """
CREATE EXTENSION citext;
CREATE SCHEMA "Odd Name";
CREATE DOMAIN address AS citext NOT NULL CHECK (VALUE LIKE '%@%');
CREATE DOMAIN addresses AS address[];
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (a int, b text);
CREATE TABLE person (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gone int,
  mail address,
  others addresses,
  feels mood NOT NULL DEFAULT 'ok',
  name varchar(20) COLLATE "C",
  long_name text GENERATED ALWAYS AS (name || '!') STORED
);
ALTER TABLE person DROP COLUMN gone;
COMMENT ON COLUMN person.name IS 'as on the passport';
CREATE UNIQUE INDEX by_mail ON person (lower(mail::text), id DESC) INCLUDE (name) WHERE name IS NOT NULL;
CREATE TABLE "Odd Name"."Ta ble" (id bigint REFERENCES public.person ON DELETE CASCADE DEFERRABLE);
CREATE TABLE part (id bigint, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE part_2026 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON part FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW names WITH (security_barrier = true) AS SELECT name FROM person;
CREATE MATERIALIZED VIEW counts AS SELECT count(*) AS n FROM person;
CREATE SEQUENCE free; CREATE TABLE fed (id bigint DEFAULT nextval('free'));
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON person FOR SELECT USING (mail = current_user);
CREATE STATISTICS stat ON id, name FROM person;
GRANT SELECT ON person TO PUBLIC;
CREATE TABLE alembic_version (version_num varchar(32) NOT NULL);
"""


@pytest.fixture
def connection(empty_database: Database) -> Iterator[psycopg.Connection[Any]]:
    """The owner's session in a database with one of everything."""
    with empty_database.connect(autocommit=True) as session:
        session.execute(SCHEMA)
        yield session


def test_columns_are_followed_through_domains_and_arrays(connection: psycopg.Connection[Any]) -> None:
    """What a column stores, its length, its nullability and its element, whatever the domain is called."""
    person = read_snapshot(connection).by_name["public.person"]
    mail, others, name = (person.by_name[key] for key in ("mail", "others", "name"))
    assert (mail.base, mail.domain, mail.not_null, mail.array) == ("citext", "public.address", True, False)
    assert (others.base, others.array, others.not_null) == ("citext", True, False)
    assert (name.type, name.modifier, name.collation, name.comment) == (
        "character varying(20)", 24, '"C"', "as on the passport",
    )  # fmt: skip
    assert "gone" not in person.by_name


def test_an_index_keeps_keys_apart_from_what_it_includes(connection: psycopg.Connection[Any]) -> None:
    """Expressions by their text, directions, included columns, the predicate."""
    person = read_snapshot(connection).by_name["public.person"]
    index = next(item for item in person.indexes if item.name == "by_mail")
    assert [(key.text, key.option) for key in index.keys] == [("lower(mail::text)", 0), ("id", 3)]
    assert person.names(index.included) == ("name",)
    assert index.predicate == "(name IS NOT NULL)"
    assert (index.unique, index.valid, index.total) == (True, True, False)


def test_the_scope_is_the_project_and_nothing_else(connection: psycopg.Connection[Any]) -> None:
    """All schemas of the project, no objects of extensions, no migration table; partitions are not roots."""
    snapshot = read_snapshot(connection)
    assert {table.qualified for table in snapshot.roots} == {
        "Odd Name.Ta ble",
        "public.fed",
        "public.part",
        "public.person",
    }
    assert snapshot.by_name["public.part_2026"].partition
    assert {item.qualified for item in snapshot.functions} == {"public.touch()"}
    assert {item.name for item in snapshot.types} == {"address", "addresses", "mood", "pair"}
    assert {item.name for item in snapshot.extensions} == {"citext", "plpgsql"}
    assert [trigger.name for trigger in snapshot.by_name["public.part_2026"].triggers] == []


def test_sequences_know_whose_they_are(connection: psycopg.Connection[Any]) -> None:
    """An identity's sequence has an owner, a free one has users."""
    snapshot = read_snapshot(connection)
    person, fed = snapshot.by_name["public.person"], snapshot.by_name["public.fed"]
    by_name = {item.name: item for item in snapshot.sequences}
    assert (by_name["person_id_seq"].owner_table, by_name["person_id_seq"].identity) == (person.oid, True)
    assert (by_name["free"].owner_table, by_name["free"].users) == (0, ((fed.oid, 1),))


def test_every_role_reads_the_same(connection: psycopg.Connection[Any], empty_database: Database) -> None:
    """Neither rights, nor search_path, nor time zone of the reader change a text."""
    mine = read_snapshot(connection)
    with empty_database.as_role("readonly").connect() as other:
        other.execute("SET search_path = public, \"Odd Name\"; SET timezone = 'Asia/Tokyo'")
        other.commit()
        theirs = read_snapshot(other)
    assert difference(mine, theirs) == []
    assert (mine.can_write, theirs.can_write) == (True, False)


def test_an_open_transaction_is_refused(connection: psycopg.Connection[Any]) -> None:
    """Its isolation cannot be changed any more, so the snapshot would not be one moment."""
    with connection.transaction(), pytest.raises(HarnessError, match="inside an open transaction"):
        read_snapshot(connection)


def test_the_session_is_given_back_as_it_was(empty_database: Database) -> None:
    """Autocommit, search_path and the right to write are the caller's again."""
    with empty_database.connect() as session:
        read_snapshot(session)
        assert not session.autocommit
        assert session.execute("SHOW search_path").fetchone() != ('""',)
        session.execute("CREATE TABLE written (a int)")


def test_a_reading_that_would_write_is_refused(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction id at the end means that something was written."""
    monkeypatch.setattr(queries, "KEYWORDS", "SELECT pg_current_xact_id()::text")
    with pytest.raises(HarnessError, match="transaction id"):
        read_snapshot(connection)


def changes(connection: psycopg.Connection[Any], before: Snapshot, statement: str) -> list[str]:
    """What `statement` changes, then what undoing it leaves."""
    connection.execute(statement.encode())
    return [str(change) for change in difference(before, read_snapshot(connection))]


def test_nothing_differs_when_all_is_made_again(connection: psycopg.Connection[Any]) -> None:
    """OIDs, column numbers and the order of columns are not part of the schema."""
    before = read_snapshot(connection)
    again = "DROP TABLE fed; CREATE TABLE fed (id bigint DEFAULT nextval('free'))"
    assert changes(connection, before, again) == []
    moved = "ALTER TABLE part DROP CONSTRAINT part_pkey; ALTER TABLE part ADD PRIMARY KEY (id, at)"
    assert changes(connection, before, moved) == []


def test_a_table_that_is_gone_is_one_change(connection: psycopg.Connection[Any]) -> None:
    """Its columns, constraints and indexes are not listed one by one."""
    before = read_snapshot(connection)
    assert changes(connection, before, 'DROP TABLE "Odd Name"."Ta ble"') == ["table Odd Name.Ta ble is gone"]


def test_each_attribute_is_a_separate_change(connection: psycopg.Connection[Any]) -> None:
    """Kind, name, attribute, before and after."""
    before = read_snapshot(connection)
    changed = "ALTER TABLE person ALTER feels DROP DEFAULT, ALTER feels DROP NOT NULL, ADD COLUMN extra int"
    assert changes(connection, before, changed) == [
        "column public.person.extra is new",
        "column public.person.feels: default \"'ok'::public.mood\" -> None",
        "column public.person.feels: nullability 'NOT NULL' -> 'NULL'",
    ]
