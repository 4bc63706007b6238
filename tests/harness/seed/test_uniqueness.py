"""Unique keys and exclusions hold, and a table without room gets fewer rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.seed.constraints.uniqueness import place
from harness.seed.values.sources import from_rows

if TYPE_CHECKING:
    from tests.harness.seed.conftest import SeedDatabase


def test_columns_with_few_values_are_combined(db: SeedDatabase) -> None:
    """A key of a boolean and an enum holds every combination once, then the table is full."""
    db.run(
        "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');"
        "CREATE TABLE pairs (a bool NOT NULL, b mood NOT NULL, UNIQUE (a, b)); CREATE TABLE single (a bool NOT"
        " NULL UNIQUE);"
        "CREATE TABLE triples (a bool, b mood, c bool, d text, PRIMARY KEY (a, b, c))"
    )
    assert db.fill(50) == {"public.pairs": 6, "public.single": 2, "public.triples": 12}


def test_combinations_come_once_before_one_comes_again() -> None:
    """Sources of 4 and 6 rows make 24 pairs, the first ones all apart; one more row is one too many."""
    left = from_rows((1,), "left", [(str(n),) for n in range(4)])
    right = from_rows((2,), "right", [(str(n),) for n in range(6)])
    sources, limit = place([left, right], [frozenset({1, 2})], 100)
    pairs = [(sources[0].row(n), sources[1].row(n)) for n in range(limit)]
    assert limit == len(set(pairs)) == 24
    assert len({pair[0] for pair in pairs[:4]}) == len({pair[1] for pair in pairs[:4]}) == 4


def test_narrow_types_are_distinct_as_far_as_they_go(db: SeedDatabase) -> None:
    """Short texts, small numbers and dates under a unique key use their whole room."""
    db.run(
        "CREATE TABLE t (a smallint UNIQUE, b char(2) NOT NULL UNIQUE, c date UNIQUE, d time UNIQUE, e"
        " numeric(4,1) UNIQUE);"
        "CREATE TABLE tiny (a char NOT NULL UNIQUE); CREATE TABLE named (language text NOT NULL UNIQUE)"
    )
    assert db.fill(1200) == {"public.t": 1200, "public.tiny": 36, "public.named": 1200}


def test_unique_expressions_and_partial_indexes_hold(db: SeedDatabase) -> None:
    """lower(x), a key under a condition, and one that counts NULLs as equal."""
    db.run(
        "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2);"
        "CREATE TABLE t (a text, b varchar(3) UNIQUE, owner int REFERENCES p, live bool NOT NULL, n int);"
        "CREATE UNIQUE INDEX ON t (lower(a)); CREATE UNIQUE INDEX ON t (owner, n) WHERE live;"
        "CREATE TABLE u (a int, b int, UNIQUE NULLS NOT DISTINCT (a, b));"
        "CREATE TABLE v (n int NOT NULL); CREATE INDEX ON v ((100 / (n - 1)))"
    )
    assert db.fill(40) == {"public.t": 40, "public.u": 40, "public.v": 40}


def test_a_key_within_few_parents_under_a_condition_is_filled_as_far_as_it_goes(db: SeedDatabase) -> None:
    """One live row for each owner: what collides is left out, the rest is kept."""
    db.run(
        "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2), (3);"
        "CREATE TABLE t (owner int NOT NULL REFERENCES p, name text NOT NULL);"
        "CREATE UNIQUE INDEX ON t (owner, (length(name) > 6))"
    )
    assert 3 <= db.fill(40)["public.t"] <= 40


def test_one_to_one_stays_one_to_one(db: SeedDatabase) -> None:
    """A unique foreign key uses each parent once, and a child that is wider than its parent is cut short."""
    db.run(
        "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p SELECT generate_series(1, 5);"
        "CREATE TABLE c (id int PRIMARY KEY REFERENCES p, again int NOT NULL UNIQUE REFERENCES p)"
    )
    assert db.fill(20) == {"public.c": 5}


def test_exclusions_are_kept(db: SeedDatabase) -> None:
    """Ranges do not overlap, whether in one column, in two, or with a key; nor do circles."""
    db.run(
        "CREATE EXTENSION btree_gist; CREATE TABLE room (id int PRIMARY KEY); INSERT INTO room VALUES (1), (2);"
        "CREATE TABLE a (room int NOT NULL REFERENCES room, during tstzrange NOT NULL,"
        "  EXCLUDE USING gist (room WITH =, during WITH &&));"
        "CREATE TABLE b (starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, CHECK (starts_at < ends_at),"
        "  EXCLUDE USING gist (tstzrange(starts_at, ends_at) WITH &&));"
        "CREATE TABLE c (x timestamptz NOT NULL, y timestamptz NOT NULL, EXCLUDE USING gist (tstzrange(x, y) WITH &&));"
        "CREATE TABLE d (c circle, EXCLUDE USING gist (c WITH &&)); CREATE TABLE e (d daterange, EXCLUDE USING"
        " gist (d WITH &&))"
    )
    assert set(db.fill(60).values()) == {60}
    assert db.value("SELECT count(*) FROM c WHERE x < y") == 60


def test_periods_and_their_keys_are_kept(db: SeedDatabase) -> None:
    """Postgres 18: WITHOUT OVERLAPS, and a foreign key with PERIOD; before, a plain key of the same columns."""
    period, overlaps = ("PERIOD ", " WITHOUT OVERLAPS") if db.major >= 18 else ("", "")
    db.run(
        f"CREATE TABLE a (id int4range, valid daterange, PRIMARY KEY (id, valid{overlaps}));"
        "CREATE TABLE b (id int PRIMARY KEY, a int4range, valid daterange,"
        f" FOREIGN KEY (a, {period}valid) REFERENCES a (id, {period}valid))"
    )
    assert db.fill(20) == {"public.a": 20, "public.b": 20}
