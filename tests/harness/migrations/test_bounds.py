"""Which conditions limit the number of rows that a statement writes."""

from __future__ import annotations

import pytest

from harness.migrations.rules.bounds import bounded, seeks_nulls
from harness.migrations.tracing.evidence import TracedStatement

KEYS = frozenset({"id", "Order No"})


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE t SET a = 1 WHERE id IN (SELECT id FROM t WHERE a IS NULL LIMIT 1000)",
        "WITH b AS (SELECT id FROM t FETCH FIRST 500 ROWS ONLY) UPDATE t SET a = 1 FROM b WHERE b.id = t.id",
        "DELETE FROM t WHERE ctid = ANY (ARRAY(SELECT ctid FROM t LIMIT %(size)s))",
        "UPDATE t SET a = 1 WHERE t.id >= 1 AND t.id < 1001 AND b <> 3",
        'UPDATE t SET a = 1 WHERE "Order No" BETWEEN 1 AND 1000',
        "UPDATE t SET a = 1 WHERE id > %(after)s::BIGINT AND id <= %(last)s::BIGINT",
        "UPDATE t SET a = 1 WHERE id > %s AND id <= %s",
    ],
)
def test_a_limit_or_two_ends_of_a_key_are_a_bound(sql: str) -> None:
    """Twenty rows were written, and in production there can be no more than the text says."""
    numbers = (("after", -(2**63)), ("last", 20), ("size", 50), ("0", 0), ("1", 20))
    assert bounded(TracedStatement(1, sql, 1, numbers=numbers), 20, KEYS)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE t SET a = 1",
        "UPDATE t SET a = 1 -- LIMIT 100\nWHERE b",
        "UPDATE t SET a = 'LIMIT 100'",
        "UPDATE t SET a = (SELECT b FROM u ORDER BY c NULLS FIRST LIMIT 100)",
        "UPDATE t SET a = 1 WHERE id IN (SELECT id FROM t LIMIT 9223372036854775807)",
        "UPDATE t SET a = 1 WHERE id IN (SELECT id FROM t LIMIT ALL)",
        "UPDATE t SET a = 1 WHERE b = (SELECT b FROM u LIMIT 1)",
        "UPDATE t SET a = 1 WHERE age > 0 AND age < 150",
        "UPDATE t SET a = 1 WHERE id > -5 AND id < 9223372036854775807",
        "UPDATE t SET a = 1 WHERE id BETWEEN 0 AND 1000000",
        "UPDATE t SET a = 1 WHERE id BETWEEN first AND last",
        "UPDATE t SET a = 1 WHERE id > 0 AND a -> 'b' < 'c'",
        "UPDATE t SET a = 1 WHERE id > %(first)s AND id < %(huge)s",
        "DO $$ BEGIN UPDATE t SET a = 1 WHERE id IN (SELECT id FROM t LIMIT 5); END $$",
    ],
)
def test_what_holds_any_number_of_rows_is_no_bound(sql: str) -> None:
    """A word in a comment, a column that repeats, ends as far apart as numbers go, a LIMIT below what was written."""
    statement = TracedStatement(1, sql, None, numbers=(("first", 0), ("huge", 2**62)))
    assert not bounded(statement, 20, KEYS)


def test_ends_that_are_no_numbers_are_those_of_a_batch() -> None:
    """Keys may be UUIDs or texts, which only a loop can know."""
    sql = "UPDATE t SET a = 1 WHERE id > %(after)s::UUID AND id <= %(last)s::UUID"
    assert bounded(TracedStatement(1, sql, None), 20, KEYS)


def test_a_block_must_commit_between_its_batches() -> None:
    """Outside a transaction, or else its COMMIT would fail."""
    sql = "DO $body$ BEGIN LOOP UPDATE t SET a = 1 WHERE id > 0 AND id <= n; COMMIT; END LOOP; END $body$"
    assert bounded(TracedStatement(1, sql, None), 20, KEYS)
    assert not bounded(TracedStatement(1, sql, 1), 20, KEYS)


@pytest.mark.parametrize(
    ("sql", "seeks"),
    [
        ("UPDATE public.t SET a = 1 WHERE a IS NULL", True),
        ("DELETE FROM ONLY t WHERE a IS NULL", True),
        ("WITH b AS (SELECT 1) UPDATE t AS x SET a = 1 FROM b WHERE x.a IS NULL", True),
        ("UPDATE u SET a = 1 FROM t WHERE t.a IS NULL", False),
        ("UPDATE t SET a = 'x IS NULL' WHERE b = 1", False),
        ("INSERT INTO t SELECT a FROM t WHERE a IS NULL", False),
    ],
)
def test_rows_of_the_table_that_is_written_are_sought_by_null(sql: str, seeks: bool) -> None:
    """The commonest backfill finds no seeded row, for those have values."""
    assert seeks_nulls(TracedStatement(1, sql, 1), "public.t") is seeks
