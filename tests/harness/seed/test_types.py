"""Every type of Postgres is filled, and those that a schema defines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.harness.seed.conftest import SeedDatabase

DISTINCT = [
    "int2",
    "int4",
    "int8",
    "numeric",
    "numeric(8,2)",
    "numeric(3,3)",
    "float4",
    "float8",
    "money",
    "text",
    "varchar(20)",
    "varchar(2)",
    "char(3)",
    "name",
    "bytea",
    "uuid",
    "date",
    "timestamp",
    "timestamptz",
    "timestamp(3)",
    "time",
    "timetz",
    "interval",
    "json",
    "jsonb",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "tsvector",
    "tsquery",
    "oid",
    "pg_lsn",
    "bit(8)",
    "varbit",
    "varbit(8)",
    "xid",
    "xid8",
    "tid",
    "jsonpath",
    "pg_snapshot",
    "int[]",
    "text[]",
    "box[]",
    "int4range",
    "int8range",
    "numrange",
    "daterange",
    "tsrange",
    "tstzrange",
    "int4multirange",
    "datemultirange",
    "email[]",
    "address",
    "address[]",
    "floatrange",
    "floatmultirange",
    "email",
    "even",
    '"Order"',
    '"user"[]',
]
REPEATING = ['"char"', "char", "bool", "bit", "regclass", "regtype", "regrole", "mood", "mood[]", "xml", '"end"']
OWN = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE address AS (street text, zip varchar(5), "No" int);
CREATE DOMAIN email AS text CHECK (VALUE ~ '^[a-z0-9._+-]+@[a-z0-9.-]+\\.[a-z]{2,}$');
CREATE DOMAIN small AS int NOT NULL CHECK (VALUE > 0 AND VALUE < 1000);
CREATE DOMAIN even AS small CHECK (VALUE % 2 = 0);
CREATE TYPE floatrange AS RANGE (SUBTYPE = float8);
CREATE TYPE "end" AS ENUM ('it''s', 'in use');
CREATE DOMAIN "user" AS varchar(9) CHECK (VALUE ~ '^u[0-9]+$');
CREATE TYPE "Order" AS ("select" varchar(9), "a, b" numeric(10, 2), "c "" d" int);
"""


def test_every_type_is_filled_with_distinct_values(db: SeedDatabase) -> None:
    """A column of any type that has room gets another value in every row, and no NULL."""
    db.run(OWN + "CREATE TABLE t (" + ", ".join(f"c{n} {kind}" for n, kind in enumerate(DISTINCT)) + ")")
    db.fill(40)
    counts = {kind: db.value(f"SELECT count(DISTINCT c{n}::text) FROM t") for n, kind in enumerate(DISTINCT)}
    assert {kind: count for kind, count in counts.items() if count != 40} == {}


def test_types_with_few_values_repeat_them(db: SeedDatabase) -> None:
    """Booleans, enums and the like take their values in turn; a type that the server cannot read is left open."""
    db.run(OWN + "CREATE TABLE t (" + ", ".join(f"c{n} {kind}" for n, kind in enumerate(REPEATING)) + ")")
    assert db.fill(40) == {"public.t": 40}
    assert sorted(db.column("SELECT count(*) FROM t GROUP BY c7")) == [13, 13, 14]


def test_types_of_extensions_are_filled(db: SeedDatabase) -> None:
    """citext, hstore, ltree and cube are known; distinct without regard to case where the type has none."""
    db.run(
        "CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE EXTENSION cube;"
        "CREATE TABLE t (c citext UNIQUE CHECK (length(c) BETWEEN 3 AND 254), h hstore NOT NULL, l ltree"
        " UNIQUE, q cube)"
    )
    db.fill(40)
    assert db.value("SELECT count(DISTINCT lower(c::text)) FROM t") == 40


def test_an_unknown_type_is_guessed_or_left_open(db: SeedDatabase) -> None:
    """A text that the server can read is looked for; a nullable column without one stays NULL."""
    db.run("CREATE EXTENSION seg; CREATE EXTENSION isn; CREATE TABLE t (v int2vector NOT NULL, i isbn)")
    db.fill(5)
    assert db.value("SELECT count(v) + count(i) FROM t") == 5


def test_names_give_believable_values(db: SeedDatabase) -> None:
    """The well-known names of columns get what a person expects there."""
    db.run(
        "CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY, email text, full_name text, phone text, city text,"
        " website_url text, created_at timestamptz, due_at timestamptz, starts_at timestamp, ends_at timestamp)"
    )
    db.fill(3)
    row = db.column("SELECT concat_ws('|', email, full_name, phone, city, website_url) FROM users WHERE id = 2")[0]
    assert row == ("grace.hopper.2@example.com|Grace Hopper 2|+12025550001|Oslo 2|https://example.com/meadow-orchard-2")
    assert db.value("SELECT bool_and(created_at < due_at AND starts_at < ends_at) FROM users")


def test_tables_with_nothing_to_write_get_rows(db: SeedDatabase) -> None:
    """A table without columns, or with generated ones only, has rows all the same."""
    db.run("CREATE TABLE bare (); CREATE TABLE made (a int GENERATED ALWAYS AS (1) STORED)")
    assert db.fill(4) == {"public.bare": 4, "public.made": 4}
