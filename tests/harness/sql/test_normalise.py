"""Texts that differ only in values are one text; texts that differ in more are not."""

from __future__ import annotations

import pytest

from harness.sql.normalise import normalise, shorten

SAME = [
    ("SELECT 1", "select  2 -- a comment\n ;"),
    ("SELECT a FROM t WHERE b = 'x'", "SELECT a FROM t WHERE b = 'it''s'"),
    ("SELECT a FROM t WHERE b = $1", "SELECT a FROM t WHERE b = $12"),
    ("SELECT E'a\\'b', 1", "SELECT '', 2"),
    ("SELECT $$a 'quoted' word$$", "SELECT $tag$ with $$ inside $tag$"),
    ("SELECT a /* one /* two */ three */ FROM t", "SELECT a FROM t"),
    ("SELECT a FROM t WHERE b IN (1)", "SELECT a FROM t WHERE b IN (1, 2, 3)"),
    ("SELECT a FROM t WHERE b IN ($1::UUID, $2::UUID)", "SELECT a FROM t WHERE b IN ( $1::UUID )"),
    ("INSERT INTO t (a, b) VALUES ($1, $2)", "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)"),
    ("SELECT 0x1F, 1_000, .5, 1.5e-3", "SELECT 1, 2, 3, 4"),
]
DIFFERENT = [
    ("SELECT a FROM t", "SELECT b FROM t"),
    ('SELECT "A" FROM t', 'SELECT "a" FROM t'),
    ("SELECT a FROM t1", "SELECT a FROM t2"),
    ("SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE c = 1"),
    ("SELECT $1::int", "SELECT $1::text"),
    ("SELECT '-- no comment', a", "SELECT '-- no comment', b"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_values_and_layout_do_not_count(one: str, other: str) -> None:
    """Both texts are the same statement."""
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_names_and_structure_count(one: str, other: str) -> None:
    """The texts are two statements."""
    assert normalise(one) != normalise(other)


@pytest.mark.parametrize("text", ["SELECT 'open", "SELECT /* open", 'SELECT "open', "SELECT $x$ open", "", "é ☃ \0"])
def test_broken_texts_are_taken_as_they_are(text: str) -> None:
    """What is no SQL does not stop the judge, and normalising twice changes nothing."""
    assert normalise(normalise(text)) == normalise(text)


def test_a_long_statement_keeps_its_tables_and_conditions() -> None:
    """Of a statement too long for a line the columns go first."""
    columns = ", ".join(f"item.column_{number}" for number in range(40))
    assert shorten(f"SELECT {columns}\nFROM item WHERE item.id = $1") == "SELECT … FROM item WHERE item.id = $1"
    assert len(shorten("SELECT 1 WHERE " + "x" * 500, 80)) == 80
