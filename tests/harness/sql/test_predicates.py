"""A predicate is read by its tokens: words in names and constants join nothing."""

from __future__ import annotations

import pytest

from harness.databases.databases import Database
from harness.sql.predicates import not_null_columns, only_not_null

CONDITIONS = [
    ("a IS NOT NULL", {"a"}, True),
    ('a IS NOT NULL AND "B" IS NOT NULL', {"a", "B"}, True),
    ('"a OR b" IS NOT NULL AND "order" IS NOT NULL', {"a OR b", "order"}, True),
    ("a IS NOT NULL AND (\"B\" = 'x' OR \"B\" = 'y')", {"a"}, False),
    ("\"B\" <> 'a IS NOT NULL AND b'", set(), False),
    ('a IS NOT NULL OR "B" IS NOT NULL', set(), False),
    ('NOT (a IS NOT NULL AND "B" IS NOT NULL)', set(), False),
    ('(a || "B") IS NOT NULL', set(), False),
]


@pytest.mark.parametrize(("condition", "named", "only"), CONDITIONS)
def test_a_predicate_names_the_columns_that_are_not_null(
    empty_database: Database, condition: str, named: set[str], only: bool
) -> None:
    """As the server writes the predicate, AND outside of brackets joins its parts."""
    with empty_database.connect() as connection:
        connection.execute('CREATE TABLE t (a text, "B" text, "a OR b" text, "order" text)')
        connection.execute(f"CREATE INDEX i ON t (a) WHERE {condition}".encode())
        row = connection.execute("SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indpred IS NOT NULL")
        predicate = row.fetchall()[0][0]
    assert not_null_columns(predicate) == named
    assert only_not_null(predicate, {"a", "B", "a OR b", "order"}) is only


def test_no_predicate_excludes_nothing() -> None:
    """An index without one is for every row."""
    assert only_not_null(None, ())
