"""A trace records what the server did for each statement."""

from __future__ import annotations

import dataclasses
import json

import pytest

from harness.catalog import Snapshot
from harness.examples import examples_of
from harness.migrations.rules.failing import index_corruption
from harness.migrations.tracing import rerun
from harness.migrations.tracing.evidence import Trace, TracedStatement
from harness.migrations.tracing.observations import Observations
from tests.harness.migrations.workbench import Example, Workbench

pytestmark = pytest.mark.slow

BLOCK = "with op.get_context().autocommit_block():\n    "


def statements(workbench: Workbench, upgrade: str) -> tuple[TracedStatement, ...]:
    """The statements of an upgrade."""
    return workbench.see(Example(upgrade))[0].statements


@pytest.mark.parametrize(
    ("sql", "mode"),
    [
        ("SELECT count(*) FROM account", "AccessShareLock"),
        ("SELECT * FROM account WHERE id = 1 FOR UPDATE", "RowShareLock"),
        ("UPDATE account SET note = note WHERE id = 1", "RowExclusiveLock"),
        ("ALTER TABLE account ALTER COLUMN note SET STATISTICS 100", "ShareUpdateExclusiveLock"),
        ("CREATE INDEX i ON account (note)", "ShareLock"),
        ("CREATE TABLE child (id bigint REFERENCES account)", "ShareRowExclusiveLock"),
        ("LOCK TABLE account IN EXCLUSIVE MODE", "ExclusiveLock"),
        ("ALTER TABLE account ADD COLUMN nick text", "AccessExclusiveLock"),
    ],
)
def test_every_lock_mode_is_seen(workbench: Workbench, sql: str, mode: str) -> None:
    """Strong and fast-path locks alike, each at the statement that takes it."""
    (statement,) = statements(workbench, sql)
    assert statement.locked("public.account") == mode


def test_a_lock_is_listed_where_it_is_taken(workbench: Workbench) -> None:
    """The second statement took nothing, but ran while the first one's lock was held."""
    first, second = statements(workbench, "ALTER TABLE account ADD COLUMN nick text\nSELECT 1")
    assert first.locked("public.account") == "AccessExclusiveLock"
    assert not first.held
    assert not second.locks
    assert [lock.short for lock in second.held if lock.relation == "public.account"] == ["ACCESS EXCLUSIVE"]


@pytest.mark.parametrize(
    ("sql", "mode"),
    [
        ("CREATE INDEX CONCURRENTLY i ON account (note)", "ShareUpdateExclusiveLock"),
        ("DROP INDEX CONCURRENTLY account_seen", "ShareUpdateExclusiveLock"),
        ("REINDEX INDEX CONCURRENTLY account_seen", "ShareUpdateExclusiveLock"),
        ("REINDEX TABLE account", "ShareLock"),
        ("VACUUM FULL account", "AccessExclusiveLock"),
        ("CLUSTER account USING account_pkey", "AccessExclusiveLock"),
        ("TRUNCATE account CASCADE", "AccessExclusiveLock"),
        ("ALTER TABLE account ADD COLUMN nick text", "AccessExclusiveLock"),
        ("DO $$ BEGIN ALTER TABLE account ADD COLUMN nick text; END $$", "AccessExclusiveLock"),
    ],
)
def test_locks_outside_a_transaction_are_seen(workbench: Workbench, sql: str, mode: str) -> None:
    """Nothing is left of them afterwards: the statement is made to wait, or announces them itself."""
    (statement,) = statements(workbench, BLOCK + f"op.execute({sql!r})")
    assert statement.transaction is None
    assert statement.locked("public.account") == mode


def test_commands_inside_functions_and_blocks_are_named(workbench: Workbench) -> None:
    """Each DDL command of a DO block is in the trace, with its object."""
    sql = "DO $$ BEGIN ALTER TABLE account ADD COLUMN nick text; CREATE INDEX i ON account (nick); END $$"
    (statement,) = statements(workbench, f"op.execute({sql!r})")
    assert [(item.tag, item.object) for item in statement.commands] == [
        ("ALTER TABLE", "public.account"),
        ("CREATE INDEX", "public.i"),
    ]


def test_rows_read_and_written_are_counted_as_deltas(workbench: Workbench) -> None:
    """Earlier statements, and earlier transactions whose counters are not flushed, add nothing."""
    first, second, third = statements(
        workbench,
        """
        with op.get_context().autocommit_block():
            op.execute("SELECT count(*) FROM account")
        UPDATE account SET note = 'x'
        SELECT 1
        """,
    )
    assert [(item.relation, item.read) for item in first.rows] == [("public.account", 20)]
    assert [(item.read, item.updated) for item in second.rows] == [(20, 20)]
    assert not third.rows


def test_a_look_up_by_key_is_no_scan(workbench: Workbench) -> None:
    """Of a table known to be small the planner would read all; here it costs what it costs on a large one."""
    _, statement = statements(workbench, "ANALYZE account\nUPDATE account SET note = 'x' WHERE id = 3")
    assert [(item.read, item.updated) for item in statement.rows] == [(1, 1)]


def test_a_rewrite_is_distinguished_from_a_truncation(workbench: Workbench) -> None:
    """Both give a new file; only one still holds rows."""
    (rewritten,) = statements(workbench, "ALTER TABLE account ALTER COLUMN age TYPE bigint")
    assert ("public.account", "r", False) in {(item.relation, item.kind, item.emptied) for item in rewritten.rewrites}
    (emptied,) = statements(workbench, "TRUNCATE event_2027")
    assert [(item.relation, item.emptied) for item in emptied.rewrites] == [("public.event_2027", True)]


def test_an_index_that_keeps_its_file_is_no_rebuild(workbench: Workbench) -> None:
    """ALTER TYPE that gives an index a new OID but not a new file."""
    (statement,) = statements(workbench, "ALTER TABLE account ALTER COLUMN name TYPE varchar(60)")
    assert not statement.rewrites


def test_timeouts_are_those_in_force_at_the_statement(workbench: Workbench) -> None:
    """In milliseconds; SET LOCAL ends with its transaction."""
    found = statements(
        workbench,
        """
        SET LOCAL lock_timeout = '3s'
        SET LOCAL statement_timeout = '2min'
        SELECT 1
        with op.get_context().autocommit_block():
            op.execute("SELECT 2")
        """,
    )
    assert [(item.lock_timeout, item.statement_timeout) for item in found] == [
        (5000, 0),
        (3000, 0),
        (3000, 120000),
        (5000, 0),
    ]


def test_errors_and_notices_keep_their_sqlstate(workbench: Workbench) -> None:
    """The statement that fails ends the trace."""
    seen, _ = workbench.see(Example("DROP TABLE IF EXISTS absent\nSELECT 1 / 0"))
    first, second = seen.statements
    assert [item.sqlstate for item in first.notices] == ["00000"]
    assert second.sqlstate == "22012"
    assert seen.trace.sqlstate == "22012"


def test_another_session_of_the_revision_is_watched_too(workbench: Workbench) -> None:
    """A revision that opens another engine hides nothing."""
    found = statements(
        workbench,
        """
        with sa.create_engine(op.get_bind().engine.url, poolclass=sa.NullPool).begin() as other:
            other.execute(sa.text("ALTER TABLE account ADD COLUMN nick text"))
        """,
    )
    assert [item.locked("public.account") for item in found] == ["AccessExclusiveLock"]


def test_statements_outside_sqlalchemy_are_seen_by_their_effects(workbench: Workbench) -> None:
    """A psycopg cursor sends no event, but its locks, rewrites and rows are there at the end."""
    found = statements(
        workbench,
        'op.get_bind().connection.cursor().execute("ALTER TABLE account ALTER COLUMN age TYPE bigint")',
    )
    assert [item.sql for item in found] == ["(sent past SQLAlchemy)"]
    assert found[0].locked("public.account") == "AccessExclusiveLock"
    assert "public.account" in {item.relation for item in found[0].rewrites}


def test_a_trace_is_plain_data(workbench: Workbench) -> None:
    """It can be written as JSON as it is."""
    seen, _ = workbench.see(Example("SELECT count(*) FROM account"))
    data = json.loads(json.dumps(dataclasses.asdict(seen.trace)))
    assert data["statements"][0]["rows"][0]["read"] == 20


def test_concurrent_index_builds_on_14_0_to_14_3_are_found() -> None:
    """No test has one, so the trace is made up."""
    empty = Snapshot(140003, "", "", False, frozenset(), (), (), (), (), (), (), ())
    for example in examples_of(index_corruption.id):
        major, minor = map(int, example.fields["server"].split("."))
        trace = Trace("0001", major * 10_000 + minor, (), (TracedStatement(1, example.code, None),))
        assert bool(index_corruption(Observations(trace, empty, empty))) is example.breaks


def test_rows_that_are_lost_are_one_finding_a_table(workbench: Workbench) -> None:
    """Deleting half of the rows loses values of all columns; a single column is named."""
    _, found = workbench.see(Example("DELETE FROM account WHERE id < 10", setup="DROP TABLE orders CASCADE"))
    (loss,) = [item for item in found if item.rule.id == "downgrade-data-loss"]
    assert loss.object == "public.account"
    assert "email: 9 of 20 values" in loss.message
    _, found = workbench.see(Example("UPDATE account SET note = 'x' WHERE id = 3"))
    (loss,) = [item for item in found if item.rule.id == "downgrade-data-loss"]
    assert (loss.object, loss.message[:24]) == ("public.account.note", "1 of 20 values are lost ")


def test_untried_interruptions_are_counted(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """If there are too many, the first and the last are tried, and the finding says of how many."""
    monkeypatch.setattr(rerun, "MOST", 4)
    lines = [f'    op.execute("CREATE TABLE IF NOT EXISTS t{number} ()")' for number in range(6)]
    seen, found = workbench.see(Example("\n".join(["with op.get_context().autocommit_block():", *lines])))
    assert [item.sql.split()[5] for item in seen.reruns] == ["t0", "t1", "t4", "t5"]
    (finding,) = [item for item in found if item.rule.id == "partial-apply"]
    assert (finding.severity, finding.message) == (
        "info",
        "killed after 4 of its 6 statements with a lasting effect, the first and the last",
    )
