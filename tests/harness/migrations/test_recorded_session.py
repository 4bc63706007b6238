"""Strings of several statements: cut as the server cuts them, and watched one by one without being changed."""

from __future__ import annotations

import contextlib

import psycopg
import pytest

from harness.sql.lexer import split
from tests.harness.migrations.workbench import Example, Workbench

STRINGS = {
    "plain": "SELECT 1; SELECT 2",
    "semicolons in literals": r"""SELECT ';', E'\';', U&'\003b;', "a;b" FROM (SELECT 1 AS "a;b") x; SELECT 2""",
    "dollar quotes": "SELECT $$;$$, $a$;$$;$a$, $é_1$;$é_1$; DO $x$ BEGIN PERFORM 1; END $x$; SELECT 3",
    "comments": "SELECT 1 /* ; /* ; */ ; */; -- ; SELECT\n SELECT 2; /* ' */ SELECT 3 -- '",
    "nothing between": ";; SELECT 1;; ; SELECT 2; --",
    "dollars in names": "CREATE TEMP TABLE a$b$ (c$b$ int); SELECT c$b$ FROM a$b$; SELECT 1",
    "a body of SQL": (
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT f()"
    ),
    "a rule": "CREATE TABLE r (i int); CREATE RULE x AS ON INSERT TO r DO ALSO (SELECT 1; SELECT (2)); SELECT 1",
    "names that are words": "CREATE TEMP TABLE atomic (begin int, atomic int); TABLE atomic; SELECT 1",
}

BROKEN = (
    "SELECT 1; SELECT 'a",
    'SELECT 1; SELECT "a',
    "SELECT 1; SELECT $a$;",
    "SELECT 1; SELECT 2 /* /* */",
    r"SELECT 1; SELECT E'\'",
)


@pytest.mark.parametrize("text", STRINGS.values(), ids=STRINGS)
def test_a_string_is_cut_where_the_server_cuts_it(connection: psycopg.Connection, text: str) -> None:
    """As many parts as the server gives results, and each part runs by itself."""
    cursor = connection.execute(text.encode())
    results = 1
    while cursor.nextset():
        results += 1
    connection.rollback()
    assert len(split(text)) == results
    for part in split(text):
        connection.execute(part.encode())


@pytest.mark.parametrize("text", BROKEN)
def test_a_string_without_an_end_is_not_cut(text: str) -> None:
    """The server would refuse it as a whole, before its first statement."""
    assert split(text) == []


def test_backslashes_escape_where_the_server_says_so(connection: psycopg.Connection) -> None:
    """With standard_conforming_strings off the quote behind a backslash ends nothing."""
    text = r"SELECT 'a\'; SELECT 2' AS b; SELECT 3"
    assert split(text, backslashes=True) == [r"SELECT 'a\'; SELECT 2' AS b", "SELECT 3"]
    assert split(r"SELECT 'a\'; SELECT 2") == [r"SELECT 'a\'", "SELECT 2"]
    refused = connection.info.server_version >= 190000  # from then on the setting is always on
    with pytest.raises(psycopg.Error) if refused else contextlib.nullcontext():
        connection.execute("SET standard_conforming_strings = off; SET escape_string_warning = off")
        assert connection.execute(text.encode()).fetchone() == ("a'; SELECT 2",)


@pytest.mark.slow
def test_each_statement_of_a_string_is_told_for_itself(workbench: Workbench) -> None:
    """Its locks, its rows and the limit in force at it, in the transaction of the revision."""
    sql = "SET lock_timeout = 0; ALTER TABLE account ADD COLUMN nick text; UPDATE account SET nick = ';'"
    seen, found = workbench.see(Example(f"op.execute({sql!r})", "ALTER TABLE account DROP COLUMN nick"))
    limit, alter, update = seen.statements
    assert (limit.lock_timeout, alter.lock_timeout) == (5000, 0)
    assert alter.sql == "ALTER TABLE account ADD COLUMN nick text"
    assert alter.locked("public.account") == "AccessExclusiveLock"
    assert [(item.relation, item.updated) for item in update.rows] == [("public.account", 20)]
    assert {item.transaction for item in seen.statements} == {1}
    rules = {item.rule.id: item.statement for item in found}
    assert rules["no-lock-timeout"] == alter.sql
    assert rules["backfill-in-ddl-transaction"] == update.sql


@pytest.mark.slow
def test_a_string_outside_a_transaction_stays_one(workbench: Workbench) -> None:
    """Its locks are held to its end, it is undone as a whole, and a run is killed behind it, never within it."""
    sql = "ALTER TABLE account ADD COLUMN nick text; ALTER TABLE account ADD COLUMN nack text"
    block = "with op.get_context().autocommit_block():\n    op.execute({!r})"
    seen, found = workbench.see(
        Example(block.format(sql), "ALTER TABLE account DROP COLUMN nick\nALTER TABLE account DROP COLUMN nack")
    )
    first, second = seen.statements
    assert first.transaction == second.transaction is not None
    assert [lock.short for lock in second.held if lock.relation == "public.account"] == ["ACCESS EXCLUSIVE"]
    assert seen.trace.stops == (second,)
    assert [(item.number, "already exists" in item.error) for item in seen.reruns] == [(2, True)]
    assert "partial-apply" in {item.rule.id for item in found}
    assert "transaction-control" not in {item.rule.id for item in found}


@pytest.mark.slow
def test_what_a_string_does_is_what_it_does_unwatched(workbench: Workbench) -> None:
    """The first result, SQLAlchemy's own errors, and all of it undone when its last statement fails."""
    body = """
    bind = op.get_bind()
    assert bind.execute(sa.text("SELECT 'a; %' AS a; SELECT 2")).scalar() == "a; %"
    assert bind.exec_driver_sql("SELECT 3; SELECT 4").all() == [(3,)]
    with op.get_context().autocommit_block():
        try:
            op.execute("CREATE TABLE left_over (id int); SELECT 1 / 0")
        except sa.exc.DataError:
            pass
        assert bind.execute(sa.text("SELECT to_regclass('left_over')")).scalar() is None
    """
    seen, _ = workbench.see(Example(body))
    assert seen.trace.error is None
    assert [item.sqlstate for item in seen.statements if item.error] == ["22012"]


@pytest.mark.slow
def test_odd_rows_blame_the_statement_and_not_the_string(workbench: Workbench) -> None:
    """The finding names the part of the string that the rows stopped."""
    sql = "SET LOCAL lock_timeout = '1s'; ALTER TABLE account ADD CONSTRAINT only_one UNIQUE (note); SELECT 1"
    _, found = workbench.see(Example(f"op.execute({sql!r})", "ALTER TABLE account DROP CONSTRAINT only_one"))
    [finding] = [item for item in found if item.rule.id == "fails-on-existing-data"]
    assert finding.object == "public.account.only_one"
    assert finding.message.endswith("in: ALTER TABLE account ADD CONSTRAINT only_one UNIQUE (note)")


@pytest.mark.slow
def test_a_string_that_the_server_refuses_outside_a_transaction_is_refused(workbench: Workbench) -> None:
    """CONCURRENTLY beside another statement: cut apart and committed one by one it would have run."""
    sql = "SELECT 1; CREATE INDEX CONCURRENTLY i ON account (note)"
    seen, found = workbench.see(Example(f"with op.get_context().autocommit_block():\n    op.execute({sql!r})"))
    assert seen.trace.sqlstate == "25001"
    assert "concurrently-in-transaction" in {item.rule.id for item in found}


@pytest.mark.slow
def test_a_string_with_a_commit_in_it_is_left_whole(workbench: Workbench) -> None:
    """Only the server knows what becomes of the rest; that it commits is a finding."""
    sql = "CREATE TABLE other (id bigint PRIMARY KEY); COMMIT; SELECT 1"
    seen, found = workbench.see(Example(f"op.execute({sql!r})", "DROP TABLE other"))
    assert seen.statements[0].sql == sql
    assert "transaction-control" in {item.rule.id for item in found}
