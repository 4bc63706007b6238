"""Failures that depend on rows, servers and interrupted runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.migrations.rules.explain import explained, remedy
from harness.migrations.tracing.evidence import CONCURRENTLY, TracedStatement
from harness.migrations.tracing.observations import Observations
from harness.rules import Breach, rule
from harness.sql.normalise import shorten
from harness.sql.operations import autocommit, drop_index_concurrently

NOT_NULL = "23502"
UNIQUE = "23505"
ACTIVE_TRANSACTION = "25001"
NO_TRANSACTION = "25P01"
IN_USE = "55006"
LOCK_NOT_AVAILABLE = "55P03"
UNSAFE_NEW_ENUM_VALUE = "55P04"
DEADLOCK = "40P01"
TRUNCATED = "42622"
"""SQLSTATEs of the manual, appendix A."""

DATA = ("22", "23")
"""Classes of errors that the rows are to blame for: data exception, integrity constraint violation."""


@rule("required-column-added", "error", "A new NOT NULL column has a default")
def required_column_added(seen: Observations) -> Iterator[Breach]:
    """Find columns that are added NOT NULL without a default to a table with rows.

    Why: the statement fails if the table holds a row
    Fix: give it a server_default, or add it nullable, fill it, and make it NOT NULL afterwards
    """
    statement = _failed(seen)
    if statement and _adds_required_column(seen, statement):
        yield Breach(statement.refused, _said(statement), statement=statement)


@rule("fails-on-existing-data", "error", "A revision works on existing rows")
def fails_on_existing_data(seen: Observations) -> Iterator[Breach]:
    """Find revisions that fail on seeded rows, and (as a warning) on duplicates, nulls and extreme values.

    Why: the revision works on an empty database and fails in production, halfway through
    Fix: first repair or move the rows, in batches, then add the constraint or change the type
    """
    statement = _failed(seen)
    if statement and _meets_seeded_key(statement):
        message = f"{_said(statement)}; if only a seeded row causes it, write the rows of the table into the revision"
        yield Breach(statement.refused, message, 'seed = {"schema.table": [{"column": value}]}', statement, "warning")
    elif statement and (statement.sqlstate or "").startswith(DATA) and not _adds_required_column(seen, statement):
        yield Breach(statement.refused or seen.trace.revision, _said(statement), statement=statement)
    elif seen.adversary:
        message = f"on rows with duplicates, nulls and extreme values: {seen.adversary.message}"
        message += f"\n  in: {shorten(seen.adversary.sql, 300)}"
        yield Breach(seen.adversary.object or seen.trace.revision, message, level="warning")


@rule("concurrently-in-transaction", "error", "CONCURRENTLY runs outside a transaction", exempt=False)
def concurrently_in_transaction(seen: Observations) -> Iterator[Breach]:
    """Find CONCURRENTLY that fails because it is in a transaction.

    Why: Postgres refuses CONCURRENTLY inside a transaction
    Fix: put it inside `with op.get_context().autocommit_block():`
    """
    statement = _failed(seen)
    if statement and statement.sqlstate == ACTIVE_TRANSACTION and CONCURRENTLY.search(statement.sql):
        yield Breach(seen.trace.revision, _said(statement), statement=statement)


@rule("enum-value-same-transaction", "error", "A new enum value is used in a later transaction", exempt=False)
def enum_value_same_transaction(seen: Observations) -> Iterator[Breach]:
    """Find new enum values that are used in the transaction which adds them.

    Why: Postgres rejects a new enum value until the transaction that adds it is committed
    Fix: add the value in another revision, or inside an autocommit block
    """
    statement = _failed(seen)
    if statement and statement.sqlstate == UNSAFE_NEW_ENUM_VALUE:
        yield Breach(seen.trace.revision, _said(statement), statement=statement)


@rule("pending-trigger-events", "error", "A table is not altered while deferred checks are pending", exempt=False)
def pending_trigger_events(seen: Observations) -> Iterator[Breach]:
    """Find ALTER TABLE that fails because deferred checks of changed rows are pending.

    Why: with a deferred constraint, ALTER TABLE after INSERT or UPDATE fails if there are rows
    Fix: SET CONSTRAINTS ALL IMMEDIATE before the ALTER, or use two transactions
    """
    statement = _failed(seen)
    if statement and statement.sqlstate == IN_USE and "pending trigger events" in (statement.error or ""):
        yield Breach(seen.trace.revision, _said(statement), statement=statement)


@rule("invalid-index-left", "error", "Every index is valid after the revision")
def invalid_index_left(seen: Observations) -> Iterator[Breach]:
    """Find indexes that are invalid after the revision and were not before.

    Why: an invalid index is maintained but never used, and an invalid unique index does not guarantee uniqueness
    Fix: drop it and build it again; check pg_index.indisvalid after CONCURRENTLY
    """
    before = {(table.oid, index.name) for table in seen.before.relations for index in table.indexes if not index.valid}
    for table in seen.after.relations:
        for index in table.indexes:
            partial = table.kind == "p"  # ON ONLY: invalid until every partition has one
            if not index.valid and (table.oid, index.name) not in before and not partial:
                fix = autocommit(drop_index_concurrently(table, index.name))
                yield Breach(f"{table.qualified}.{index.name}", "it is invalid after the revision", fix)


@rule("if-not-exists-hides-invalid-index", "error", "A second run rebuilds an index that the first one left invalid")
def if_not_exists_hides_invalid_index(seen: Observations) -> Iterator[Breach]:
    """Find invalid indexes of an interrupted run that a second run does not build again.

    Why: IF NOT EXISTS finds an index of that name, so the migration succeeds and the index is never used
    Fix: drop an invalid index of that name before building it
    """
    for skipped_indexes in seen.skipped_indexes:
        statement = next((item for item in seen.statements if item.sql == skipped_indexes.sql), None)
        yield Breach(skipped_indexes.index, "it was still invalid after a second run", statement=statement)


@rule("identifier-truncated", "error", "Names have at most 63 bytes")
def identifier_truncated(seen: Observations) -> Iterator[Breach]:
    """Find names that Postgres truncates.

    Why: Postgres truncates the name: later statements and the downgrade look for the full one, or two names become one
    Fix: use a shorter name
    """
    for statement in seen.statements:
        for notice in statement.notices:
            if notice.sqlstate == TRUNCATED:
                quoted = re.findall(r'"([^"]+)"', notice.message)
                yield Breach(quoted[0] if quoted else seen.trace.revision, notice.message, statement=statement)


@rule("index-corruption-14.0-14.3", "error", "CONCURRENTLY is not used on 14.0 to 14.3")
def index_corruption(seen: Observations) -> Iterator[Breach]:
    """Find CONCURRENTLY on servers from 14.0 to 14.3.

    Why: these servers may omit rows from the index (release notes of 14.4)
    Fix: first update the server to 14.4 or later
    """
    if 140000 <= seen.trace.version <= 140003:
        for statement in seen.statements:
            if CONCURRENTLY.search(statement.sql):
                version = f"14.{seen.trace.version % 10000}"
                yield Breach(seen.trace.revision, f"CONCURRENTLY on PostgreSQL {version}", statement=statement)


@rule("transaction-control", "error", "A revision leaves BEGIN and COMMIT to Alembic")
def transaction_control(seen: Observations) -> Iterator[Breach]:
    """Find statements that end the transaction of the revision, or begin one inside it.

    Why: what ran before COMMIT is kept if the rest fails, and Alembic does not record the revision
    Fix: remove them; run statements outside a transaction in op.get_context().autocommit_block()
    """
    for statement in seen.statements:
        vain = [item for item in statement.notices if item.sqlstate in (ACTIVE_TRANSACTION, NO_TRANSACTION)]
        if statement.ended_transaction or vain:
            said = vain[0].message if vain else "it ended the transaction that Alembic began"
            yield Breach(seen.trace.revision, said, statement=statement)


@rule("partial-apply", "error", "An interrupted revision can run again")
def partial_apply(seen: Observations) -> Iterator[Breach]:
    """Find revisions that fail or end with another schema when they run again after an interruption.

    Why: outside a transaction nothing is rolled back, and the next deployment runs the revision from the start
    Fix: make each statement repeatable: IF [NOT] EXISTS, or drop what an earlier run has left
    """
    for rerun in seen.reruns:
        killed = f"killed after statement {rerun.number} and run again, "
        statement = next((item for item in seen.statements if item.number == rerun.number), None)
        if rerun.error:
            yield Breach(seen.trace.revision, f"{killed}it fails: {rerun.error}", statement=statement)
        elif rerun.differs:
            shown = "; ".join(rerun.differs[:3])
            yield Breach(seen.trace.revision, f"{killed}it ends with another schema: {shown}", statement=statement)
    stops = len(seen.trace.stops)
    if seen.reruns and stops > len(seen.reruns):
        message = (
            f"killed after {len(seen.reruns)} of its {stops} statements with a lasting effect, the first and the last"
        )
        yield Breach(f"{seen.trace.revision}.untried", message, level="info")


@rule("revision-hangs", "error", "A revision does not wait for itself", exempt=False)
def revision_hangs(seen: Observations) -> Iterator[Breach]:
    """Find revisions that wait for a lock while no other client is connected.

    Why: with no other client in the database the revision waits for its own lock, so it waits in production too
    Fix: use op.get_bind() instead of another connection
    """
    statement = _failed(seen)
    if seen.trace.hung or seen.trace.sqlstate in (LOCK_NOT_AVAILABLE, DEADLOCK):
        message = seen.trace.hung or f"with no other client in the database: {seen.trace.error}"
        yield Breach(seen.trace.revision, message, statement=statement)


@rule("revision-fails", "error", "A revision runs on the schema of the revision before it", exempt=False)
def revision_fails(seen: Observations) -> Iterator[Breach]:
    """Find errors that no other rule explains.

    Why: nothing can be deployed until the revision is repaired
    Fix: correct the line that is named; `alembic upgrade` on a database at the revision before repeats the error
    """
    if seen.trace.error and not any(place for check in SPEAKING for place in check(seen)):
        fix = remedy(seen.trace)
        yield Breach(seen.trace.revision, explained(seen.trace), fix, _failed(seen), line=seen.trace.line)


SPEAKING = (
    required_column_added,
    fails_on_existing_data,
    concurrently_in_transaction,
    enum_value_same_transaction,
    pending_trigger_events,
    revision_hangs,
)
"""The rules that report an error."""


def _failed(seen: Observations) -> TracedStatement | None:
    """The statement that ended the revision."""
    if seen.complete or not seen.statements:
        return None
    return seen.statements[-1] if seen.statements[-1].error else None


def _said(statement: TracedStatement) -> str:
    return (statement.error or "").splitlines()[0] + f" ({statement.sqlstate})"


def _meets_seeded_key(statement: TracedStatement) -> bool:
    """Return whether an INSERT of the revision met a key that is taken: seeded rows have small numbers as keys too."""
    return statement.sqlstate == UNIQUE and statement.sql.upper().startswith("INSERT")


def _adds_required_column(seen: Observations, statement: TracedStatement) -> bool:
    """Return whether a null was refused in a column that was not there before."""
    table, _, column = statement.refused.rpartition(".")
    known = seen.before.by_name.get(table)
    return statement.sqlstate == NOT_NULL and known is not None and column not in known.by_name
