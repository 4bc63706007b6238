"""Operations are Python that Alembic runs as it is, whatever is in the SQL."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from harness.databases.databases import Database
from harness.sql.operations import Code, autocommit, execute, op, source

TEXTS = [
    "it's",
    ":name",
    "a:b",
    " :b, :c:d",
    r"^\d\:x$",
    r"\\:x",
    "[[:alpha:]]+",
    "100 %",
    "%s",
    'say "so"',
    "a\nb",
    "é \u2028 \x7f",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_pasted_statement_is_the_statement(database: Database, text: str) -> None:
    """Colons are no parameters, and backslashes and quotes arrive."""
    quoted = text.replace("'", "''")
    with database.engine.connect() as connection:
        with Operations.context(MigrationContext.configure(connection)) as operations:
            exec(execute(f"CREATE TEMP TABLE kept AS SELECT '{quoted}'::text AS text"), {"op": operations})
        assert connection.execute(sa.text("SELECT text FROM kept")).scalar() == text


def test_an_operation_names_its_schema_unless_it_is_public() -> None:
    """Names are Python's strings, which Alembic quotes; code stays as it is."""
    assert op("drop_index", "Ix", "order", schema="My App") == 'op.drop_index("Ix", "order", schema="My App")'
    assert op("f", ["a", Code("sa.text(b)")], schema="public", unique=True) == 'op.f(["a", sa.text(b)], unique=True)'


def test_a_block_is_indented() -> None:
    """Each operation is a line of it."""
    assert autocommit("a", "b") == "with op.get_context().autocommit_block():\n    a\n    b"


@pytest.mark.parametrize("value", [*TEXTS, None, 5, ["a", 'b"'], True])
def test_source_gives_the_value_back(value: object) -> None:
    """Evaluated, it is what it was."""
    assert eval(source(value)) == value
