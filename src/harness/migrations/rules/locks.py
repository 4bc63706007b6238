"""Locks that are held too long, have no timeout, or cover too many tables at once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from harness.migrations.rules import fixes
from harness.migrations.rules.blocking import explained
from harness.migrations.tracing.evidence import CONCURRENTLY, Lock, TracedStatement
from harness.migrations.tracing.observations import Observations
from harness.rules import Breach, rule
from harness.sql.operations import drop_index_concurrently, execute
from harness.sql.quoting import qualified

SHORT = 600_000
"""Milliseconds below which a timeout is short for CONCURRENTLY, which waits for the database's oldest snapshot."""

LOCK = re.compile(r"^\s*LOCK\b|\bLOCK\s+TABLE\b", re.IGNORECASE)

TIMEOUT = "op.execute(\"SET lock_timeout = '5s'\")  # or once for all in env.py, for the session"


@rule("scan-while-locked", "error", "No table is scanned while an earlier statement blocks writes")
def scan_while_locked(seen: Observations) -> Iterator[Breach]:
    """Find scans in a transaction that already holds a lock which blocks writes.

    Why: the lock is held until the transaction ends, so writes wait for as long as the scan takes
    Fix: run the scan in another transaction (VALIDATE in op.get_context().autocommit_block())
    """
    for statement in seen.statements:
        held = [lock for lock in statement.held if lock.blocks_writes and seen.trace.by_name[lock.relation].rows]
        changed = {item.relation for item in statement.rows if item.changed}
        for name in sorted(seen.trace.scanned(statement)) if held else ():
            if name not in changed and not explained(seen, statement, name):
                lock = held[0]
                rows = seen.trace.by_name[name].rows
                message = f"all {rows} seeded rows were read while {lock.short} on {lock.relation} was held"
                yield Breach(name, message, statement=statement)


@rule("detach-partition-blocking", "error", "Partitions are detached CONCURRENTLY")
def detach_partition_blocking(seen: Observations) -> Iterator[Breach]:
    """Find partitions that are detached under ACCESS EXCLUSIVE.

    Why: ACCESS EXCLUSIVE on the partitioned table blocks every query, and waits for the longest one
    Fix: ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY outside a transaction (14 and later)
    """
    for statement in seen.statements:
        emptied = {part.table for part in statement.gone if part.kind in ("column", "not null")}
        for part in statement.gone:
            parent = seen.trace.by_oid.get(part.target)
            if part.kind != "partition" or parent is None or part.table in emptied:
                continue
            if statement.locked(parent.name) == "AccessExclusiveLock":
                names = [qualified(seen.before.by_oid[oid]) for oid in (parent.oid, part.table)]
                detach = "ALTER TABLE {} DETACH PARTITION {} CONCURRENTLY".format(*names)
                fix = fixes.concurrently(statement, execute(detach))
                yield Breach(part.name, f"ACCESS EXCLUSIVE on {parent.name}", fix, statement)


@rule("drop-index-blocking", "warning", "Indexes of tables in use are dropped CONCURRENTLY")
def drop_index_blocking(seen: Observations) -> Iterator[Breach]:
    """Find DROP INDEX that locks a table with rows.

    Why: ACCESS EXCLUSIVE is held for a short time, but waits for running queries, and all later queries wait for it
    Fix: op.drop_index(..., postgresql_concurrently=True) inside op.get_context().autocommit_block()
    """
    for statement in seen.statements:
        for part in statement.gone:
            table = seen.trace.table(part.table)
            named = any(command.tag == "DROP INDEX" for command in statement.commands)
            if part.kind == "index" and table and named and statement.locked(table.name) == "AccessExclusiveLock":
                fix = fixes.concurrently(statement, drop_index_concurrently(seen.before.by_oid[table.oid], part.name))
                yield Breach(f"{table.name}.{part.name}", f"ACCESS EXCLUSIVE on {table.name}", fix, statement)


@rule("matview-refresh-blocking", "error", "Materialized views in use are refreshed CONCURRENTLY")
def matview_refresh_blocking(seen: Observations) -> Iterator[Breach]:
    """Find materialized views that are refreshed under ACCESS EXCLUSIVE.

    Why: the view cannot be read while its query runs
    Fix: add a unique index to it, and REFRESH MATERIALIZED VIEW CONCURRENTLY
    """
    for statement in seen.statements:
        for rewrite in statement.rewrites:
            if rewrite.kind == "m":
                view = qualified(seen.before.by_name[rewrite.relation])
                fix = execute(f"REFRESH MATERIALIZED VIEW CONCURRENTLY {view}")
                yield Breach(rewrite.relation, "it was refreshed under ACCESS EXCLUSIVE", fix, statement)


@rule("multi-table-exclusive-locks", "warning", "A transaction locks at most one table exclusively")
def multi_table_exclusive_locks(seen: Observations) -> Iterator[Breach]:
    """Find transactions that hold ACCESS EXCLUSIVE on several tables with rows.

    Why: each lock is waited for while the others are held, so one slow query on one table blocks all of them
    Fix: split the revision, or run the statements on each table in their own transaction
    """
    tables: defaultdict[int, dict[str, TracedStatement]] = defaultdict(dict)
    for statement in seen.statements:
        for lock in statement.locks if statement.transaction is not None else ():
            relation = seen.trace.by_name[lock.relation]
            if lock.mode == "AccessExclusiveLock" and relation.kind in "rp" and relation.rows:
                tables[statement.transaction or 0].setdefault(relation.root or relation.name, statement)
    for locked in tables.values():
        if len(locked) > 1:
            message = f"ACCESS EXCLUSIVE on {len(locked)} tables until the transaction ends: {', '.join(locked)}"
            yield Breach("+".join(sorted(locked)), message, statement=list(locked.values())[-1])


@rule("no-lock-timeout", "error", "Every lock has a timeout")
def no_lock_timeout(seen: Observations) -> Iterator[Breach]:
    """Find locks that block writes and are requested with lock_timeout = 0.

    Why: the statement waits for a long query, and every later query on the table waits for the statement
    Fix: set lock_timeout for the session in env.py, and retry when it is exceeded
    """
    for statement, lock in _endless(seen):
        if not _lost(seen, statement):
            message = f"{lock.short} was requested with lock_timeout = 0"
            yield Breach(_root(seen, lock), message, TIMEOUT, statement)


@rule("lock-timeout-lost", "error", "lock_timeout is still set after an autocommit block")
def lock_timeout_lost(seen: Observations) -> Iterator[Breach]:
    """Find locks that are requested without a timeout after an earlier transaction had one.

    Why: autocommit_block() commits, and COMMIT resets SET LOCAL, so the statements after it wait without a limit
    Fix: SET lock_timeout for the session, or again after the block
    """
    for statement, lock in _endless(seen):
        if earlier := _lost(seen, statement):
            limit = f"until {earlier.sql!r} the limit was {earlier.lock_timeout} ms"
            message = f"{lock.short} was requested with lock_timeout = 0; {limit}"
            yield Breach(_root(seen, lock), message, TIMEOUT, statement)


@rule("concurrent-short-timeout", "warning", "CONCURRENTLY runs without a short timeout")
def concurrent_short_timeout(seen: Observations) -> Iterator[Breach]:
    """Find CONCURRENTLY under a lock_timeout or statement_timeout of less than ten minutes.

    Why: CONCURRENTLY waits for all older snapshots in the database; a timeout cancels it and leaves an invalid index
    Fix: set lock_timeout and statement_timeout to 0 around it
    """
    for statement in seen.statements:
        short = {
            name: value
            for name, value in (
                ("lock_timeout", statement.lock_timeout),
                ("statement_timeout", statement.statement_timeout),
            )
            if 0 < value < SHORT
        }
        if statement.transaction is None and CONCURRENTLY.search(statement.sql) and short:
            shown = " and ".join(f"{name} = {value} ms" for name, value in short.items())
            fix = "\n".join(execute(f"SET {name} = 0") for name in short)
            yield Breach(_about(seen, statement), f"it ran under {shown}", fix, statement)


@rule("explicit-lock-table", "warning", "No revision locks a table explicitly")
def explicit_lock_table(seen: Observations) -> Iterator[Breach]:
    """Find LOCK TABLE in a mode that blocks writes.

    Why: the lock is held until the transaction ends, even if no later statement needs it
    Fix: remove LOCK TABLE; each statement takes the lock that it needs
    """
    for statement in seen.statements:
        for lock in statement.locks if LOCK.search(statement.sql) else ():
            if lock.blocks_writes:
                yield Breach(lock.relation, f"{lock.short} by LOCK TABLE", statement=statement)


@rule("add-trigger", "warning", "A trigger on a table in use is added deliberately")
def add_trigger(seen: Observations) -> Iterator[Breach]:
    """Find new triggers on tables with rows.

    Why: CREATE TRIGGER blocks writes (SHARE ROW EXCLUSIVE), and the trigger makes each later write slower
    Fix: add it in its own revision, with a lock_timeout
    """
    for statement in seen.statements:
        for part in statement.made:
            table = seen.trace.table(part.table)
            if part.kind == "trigger" and table:
                yield Breach(f"{table.name}.{part.name}", f"a trigger on {table.name}", statement=statement)


@rule("too-many-alters", "info", "A table is scanned or rewritten at most once per revision")
def too_many_alters(seen: Observations) -> Iterator[Breach]:
    """Find tables that several ALTER TABLE of one revision scan or rewrite.

    Why: each ALTER TABLE reads or writes all rows again
    Fix: combine the actions in one ALTER TABLE
    """
    alters: defaultdict[str, list[TracedStatement]] = defaultdict(list)
    for statement in seen.statements:
        if any(command.tag == "ALTER TABLE" for command in statement.commands):
            for name in seen.trace.scanned(statement) | {
                item.relation for item in statement.rewrites if item.kind == "r"
            }:
                alters[name].append(statement)
    for name, statements in alters.items():
        if len(statements) > 1:
            yield Breach(
                name, f"{len(statements)} ALTER TABLE statements scanned or rewrote it", statement=statements[-1]
            )


def _endless(seen: Observations) -> Iterator[tuple[TracedStatement, Lock]]:
    """Yield locks that were requested without a timeout; CONCURRENTLY has to wait, and blocks nobody meanwhile."""
    for statement in seen.statements:
        if statement.transaction is None and CONCURRENTLY.search(statement.sql):
            continue
        for lock in statement.locks:
            if lock.blocks_writes and statement.lock_timeout == 0 and seen.trace.by_name[lock.relation].rows:
                yield statement, lock


def _lost(seen: Observations, statement: TracedStatement) -> TracedStatement | None:
    """The last statement under a lock_timeout, where the limit ended with its transaction."""
    earlier = [item for item in seen.statements if item.number < statement.number]
    for index, item in reversed(list(enumerate(earlier))):
        if item.lock_timeout:
            following = [*earlier, statement][index + 1]
            return item if following.transaction != item.transaction else None
    return None


def _root(seen: Observations, lock: Lock) -> str:
    relation = seen.trace.by_name[lock.relation]
    return relation.root or relation.name


def _about(seen: Observations, statement: TracedStatement) -> str:
    """The index that a statement made or dropped, else the table that it locked, else the revision."""
    for part in (*statement.made, *statement.gone):
        if part.kind == "index" and part.table in seen.trace.by_oid:
            return f"{seen.trace.by_oid[part.table].name}.{part.name}"
    return next((lock.relation for lock in statement.locks), seen.trace.revision)
