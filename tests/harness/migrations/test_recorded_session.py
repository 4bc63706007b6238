"""The statements of one string are traced one by one, and do what they do untraced."""

from __future__ import annotations

import pytest

from tests.harness.migrations.workbench import Example, Workbench


@pytest.mark.slow
def test_each_statement_of_a_string_is_traced(workbench: Workbench) -> None:
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
def test_tracing_does_not_change_what_a_string_does(workbench: Workbench) -> None:
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
    """CONCURRENTLY with another statement: split and committed one by one, it would have run."""
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
