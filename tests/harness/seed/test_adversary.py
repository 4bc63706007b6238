"""Adversarial rows are duplicates, NULLs and extremes wherever constraints allow them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.harness.seed.conftest import SeedDatabase


def test_odd_values_are_there(db: SeedDatabase) -> None:
    """NULL, duplicates, the least and the greatest number, infinity, the empty and the longest text."""
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int, s varchar(30), at timestamptz NOT NULL, b bool, f float8)")
    assert db.fill(30, adversarial=True) == {"public.t": 30}
    assert db.value("SELECT count(*) FROM t WHERE a IS NULL") > 0
    assert db.value("SELECT min(a) = -2147483648 AND max(a) = 2147483647 FROM t")
    assert db.value("SELECT min(length(s)) = 0 AND max(length(s)) = 30 FROM t")
    assert db.value("SELECT min(at) = '-infinity' AND max(at) = 'infinity' FROM t")
    assert db.value("SELECT count(*) - count(DISTINCT a) - count(*) FILTER (WHERE a IS NULL) FROM t") > 0


def test_constraints_still_hold(db: SeedDatabase) -> None:
    """What a constraint forbids is not written, and the table gets all its rows."""
    db.run(
        "CREATE TABLE p (id int PRIMARY KEY, email text NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 20));"
        "CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL REFERENCES p, n int CHECK (n > 5), one int UNIQUE"
        " REFERENCES p)"
    )
    assert db.fill(30, adversarial=True) == {"public.c": 30, "public.p": 30}
    assert db.value("SELECT min(n) FROM c WHERE n IS NOT NULL") >= 6
    assert db.value("SELECT count(DISTINCT p) FROM c") < 30


def test_whole_rows_are_repeated(db: SeedDatabase) -> None:
    """The second row repeats the first in everything that may repeat, the third is empty where it may be."""
    db.run("CREATE TABLE t (id int PRIMARY KEY, a text, b int NOT NULL, c date)")
    db.fill(3, adversarial=True)
    assert db.value("SELECT count(*) FROM t x JOIN t y USING (a, b, c) WHERE x.id < y.id") == 1
    assert db.value("SELECT count(*) FROM t WHERE a IS NULL AND c IS NULL") == 1
