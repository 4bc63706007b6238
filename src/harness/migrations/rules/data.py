"""Data loss, backfills and downgrades."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from harness.catalog import Table
from harness.migrations.rules.bounds import bounded, seeks_nulls
from harness.migrations.tracing.evidence import Relation, RowCounts, TracedStatement
from harness.migrations.tracing.observations import Observations, ValueLoss
from harness.rules import Breach, rule
from harness.sql.operations import autocommit, create_index_concurrently, drop_index_concurrently
from harness.wording import plural

FEW = 5
"""Rows that several statements of one transaction may write between them: as many as a person writes down."""


@rule("truncate", "error", "No revision empties a table")
def truncate(seen: Observations) -> Iterator[Breach]:
    """Find tables that are emptied by TRUNCATE.

    Why: the rows are lost, and the downgrade cannot restore them
    Fix: delete rows in batches, after a backup
    """
    for statement in seen.statements:
        for rewrite in statement.rewrites:
            rows = seen.trace.by_name[rewrite.table].rows
            if rewrite.kind == "r" and rewrite.emptied and rows:
                yield Breach(rewrite.relation, f"{plural(rows, 'seeded row')} lost", statement=statement)


@rule("cascade-drop", "error", "A revision names each object that it drops")
def cascade_drop(seen: Observations) -> Iterator[Breach]:
    """Find objects that are dropped because another object is dropped.

    Why: CASCADE drops every dependent object, in production perhaps more than here
    Fix: drop each object by name, without CASCADE
    """
    for statement in seen.statements:
        for dropped in statement.dropped:
            yield Breach(dropped.name, f"this {dropped.kind} was dropped by CASCADE", statement=statement)


@rule("composite-index-dropped", "error", "An index on several columns is not dropped with one of them")
def composite_index_dropped(seen: Observations) -> Iterator[Breach]:
    """Find indexes on several columns that are dropped with one of the columns, unless another serves the rest.

    Why: DROP COLUMN silently drops the whole index, and queries on its other columns become scans
    Fix: first build an index on the other columns CONCURRENTLY
    """
    named = {command.object for item in seen.statements for command in item.commands if command.tag == "DROP INDEX"}
    for old in seen.before.tables if seen.complete else ():
        new = seen.after.by_oid.get(old.oid)
        for index in old.indexes if new else ():
            assert new
            left = [number for number in index.columns if number in new.by_number]
            gone = len(left) < len(index.columns) and index.oid not in {item.oid for item in new.indexes}
            if left and gone and f"{old.schema}.{index.name}" not in named and not _served(new, left):
                names = new.names(tuple(number for number in left if number))
                yield Breach(
                    f"{old.qualified}.{index.name}",
                    f"it was dropped, and no index serves {', '.join(names)}",
                    _again(old, names),
                )


@rule("lossy-type-change", "error", "A change of type keeps every value")
def lossy_type_change(seen: Observations) -> Iterator[Breach]:
    """Find columns whose values differ after their type is changed and changed back.

    Why: values that are truncated or rounded cannot be restored
    Fix: add a column of the other type, and decide for each row what happens to its value
    """
    for loss in seen.losses:
        reason = f": {loss.reason}" if loss.reason else ""
        yield Breach(loss.column, f"{loss.lost} of {plural(loss.of, 'value')} cannot be restored{reason}")


@rule("unbatched-backfill", "error", "Rows are written in batches")
def unbatched_backfill(seen: Observations) -> Iterator[Breach]:
    """Find statements and transactions that write many rows and are not one of several batches.

    Why: one transaction for all rows holds their locks until it ends, and doubles the size of the table
    Fix: write a bounded number of rows per statement, each in its own transaction, until no row is left
    """
    sums: defaultdict[tuple[int, str], list[tuple[TracedStatement, int]]] = defaultdict(list)
    for statement in seen.statements:
        for rows in statement.rows:
            relation = seen.trace.by_name[rows.relation]
            if _many(seen, statement, rows) and not _batched(seen, statement, rows):
                message = f"one statement wrote {rows.changed} of {plural(relation.rows, 'seeded row')}"
                if rows.changed <= 1:
                    message += "; it selects those where a column IS NULL, in production perhaps any number"
                yield Breach(relation.root or relation.name, message, statement=statement)
            if rows.changed and statement.transaction is not None:
                sums[statement.transaction, relation.name].append((statement, rows.changed))
    for (_, name), written in sums.items():
        relation, total = seen.trace.by_name[name], sum(changed for _, changed in written)
        if len(written) > 1 and total > FEW and _is_part(relation, total):
            message = (
                f"{len(written)} statements of one transaction wrote {total} of {plural(relation.rows, 'seeded row')}"
            )
            yield Breach(relation.root or relation.name, message, statement=written[-1][0])


@rule("backfill-in-ddl-transaction", "error", "No rows are written while a table is locked exclusively")
def backfill_in_ddl_transaction(seen: Observations) -> Iterator[Breach]:
    """Find writes to tables with rows in a transaction that holds ACCESS EXCLUSIVE.

    Why: the table can neither be read nor written until the last row is written
    Fix: write the rows in a later revision, or in an autocommit block, in batches
    """
    for statement in seen.statements:
        held = [lock for lock in statement.held if lock.mode == "AccessExclusiveLock"]
        held = [lock for lock in held if seen.trace.by_name[lock.relation].rows]
        for rows in statement.rows if held else ():
            if _grows(seen, statement, rows):
                message = f"{plural(rows.changed, 'row')} written while ACCESS EXCLUSIVE on {held[0].relation} was held"
                yield Breach(rows.relation, message, statement=statement)


@rule("downgrade-missing", "error", "Every revision has a downgrade")
def downgrade_missing(seen: Observations) -> Iterator[Breach]:
    """Find downgrades that are missing or do nothing.

    Why: a failed release cannot be rolled back
    Fix: write downgrade(); where it is impossible, raise an error in it and accept the finding with the reason
    """
    if seen.downgrade_result.missing:
        yield Breach(
            seen.trace.revision, seen.downgrade_result.error or "downgrade() leaves the schema as upgrade() has made it"
        )


@rule("downgrade-not-symmetric", "error", "The downgrade restores the schema")
def downgrade_not_symmetric(seen: Observations) -> Iterator[Breach]:
    """Find downgrades that fail, and objects that differ after upgrade and downgrade.

    Why: the next upgrade fails on what was left behind, or the previous release meets a schema that it does not know
    Fix: undo in downgrade() all that upgrade() does, in reverse order
    """
    if seen.downgrade_result.error and not seen.downgrade_result.missing:
        yield Breach(seen.trace.revision, f"downgrade() fails: {seen.downgrade_result.error}")
    for name, change in seen.downgrade_result.changes:
        yield Breach(name, f"after upgrade and downgrade: {change}")


@rule("downgrade-data-loss", "error", "Upgrade and downgrade keep every value")
def downgrade_data_loss(seen: Observations) -> Iterator[Breach]:
    """Find columns that have lost values after upgrade and downgrade.

    Why: rolling back the release loses data that was there before it
    Fix: keep the values until no rollback is possible, in the column or in another table
    """
    tables: defaultdict[str, list[ValueLoss]] = defaultdict(list)
    for loss in seen.downgrade_result.losses:
        tables[loss.column.rpartition(".")[0]].append(loss)
    for table, losses in tables.items():
        name = losses[0].column if len(losses) == 1 else table
        shown = [f"{loss.lost} of {plural(loss.of, 'value')}" for loss in losses]
        columns = [loss.column.rpartition(".")[2] for loss in losses]
        several = "; ".join(f"{column}: {text}" for column, text in zip(columns, shown, strict=True))
        message = f"{shown[0]} are lost" if len(losses) == 1 else f"lost in {len(losses)} columns: {several}"
        yield Breach(name, f"{message} after upgrade and downgrade")


def _is_part(relation: Relation, changed: int) -> bool:
    """Return whether so many rows are a part of a table, not a few of it: the seed has few, production many."""
    return 4 * changed >= relation.rows > 0


def _many(seen: Observations, statement: TracedStatement, rows: RowCounts) -> bool:
    """Return whether a statement may write any number of rows: it read all, or wrote a good part of them."""
    if rows.relation in seen.trace.scanned(statement):
        few = seen.trace.by_name[rows.relation].rows == 1
        return rows.changed > 1 or (not few and seeks_nulls(statement, rows.relation))
    return rows.changed > 1 and _is_part(seen.trace.by_name[rows.relation], rows.changed)


def _batched(seen: Observations, statement: TracedStatement, rows: RowCounts) -> bool:
    """Return whether a statement is bounded, or wrote one part of the rows and the same text later another part."""
    relation = seen.trace.by_name[rows.relation]
    if bounded(statement, rows.changed, _keys(seen, relation)):
        return True
    others = [item for item in seen.statements if item.sql == statement.sql and item is not statement]
    return rows.changed < relation.rows and any(
        found.relation == rows.relation and found.changed
        for item in others
        if item.transaction is None or item.transaction != statement.transaction
        for found in item.rows
    )


def _keys(seen: Observations, relation: Relation) -> frozenset[str]:
    """The columns of a table's unique indexes: a range of another column may hold any number of rows."""
    table = seen.before.by_oid[relation.oid]
    numbers = {number for index in table.indexes if index.unique for number in index.columns}
    return frozenset(column.name for column in table.columns if column.number in numbers)


def _grows(seen: Observations, statement: TracedStatement, rows: RowCounts) -> bool:
    """Return whether a statement takes longer with more rows: it writes all, or reads all to write some."""
    relation = seen.trace.by_name[rows.relation]
    if not relation.rows or not rows.changed:
        return False
    return rows.changed >= relation.rows or rows.relation in seen.trace.scanned(statement)


def _served(table: Table, numbers: list[int]) -> bool:
    """Return whether another index begins with these columns."""
    return any(list(index.columns[: len(numbers)]) == numbers for index in table.indexes if index.valid)


def _again(table: Table, names: tuple[str, ...]) -> str:
    """The build of an index on the columns that are left, under a name that the index with all of them has not."""
    name = f"ix_{table.name}_{'_'.join(names)}"[:63]
    return autocommit(drop_index_concurrently(table, name), create_index_concurrently(table, name, names))
