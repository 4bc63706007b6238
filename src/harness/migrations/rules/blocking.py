"""Builds, scans and rewrites under a lock."""

from __future__ import annotations

from collections.abc import Iterator

from harness.migrations.rules import fixes
from harness.migrations.tracing.evidence import MODES, CatalogPart, Relation, TracedStatement
from harness.migrations.tracing.observations import Observations
from harness.rules import Breach, rule
from harness.sql.operations import execute
from harness.sql.quoting import identifier

CONSTRAINTS = {"p": "PRIMARY KEY", "u": "UNIQUE", "x": "EXCLUDE", "c": "CHECK", "f": "FOREIGN KEY"}


@rule("table-rewrite", "error", "No table is rewritten")
def table_rewrite(seen: Observations) -> Iterator[Breach]:
    """Find tables with rows that are written to a new file.

    Why: every row is copied under ACCESS EXCLUSIVE, so the table cannot be read or written: minutes to hours for a
        large one
    Fix: add a second column, fill it in batches, and move the application over to it
    """
    for statement in seen.statements:
        for rewrite in statement.rewrites:
            relation = seen.trace.by_name[rewrite.table]
            if rewrite.kind == "r" and relation.rows and not rewrite.emptied:
                message = f"its {relation.rows} seeded rows were written to a new file under ACCESS EXCLUSIVE"
                fix = fixes.rewrite(seen, statement, relation)
                yield Breach(relation.root or relation.name, message, fix, statement)


@rule("index-rebuild-blocking", "error", "No index is rebuilt while its table is locked")
def index_rebuild_blocking(seen: Observations) -> Iterator[Breach]:
    """Find indexes that are rewritten to a new file although their table is not.

    Why: the whole table is read and sorted while writes to it wait
    Fix: REINDEX INDEX CONCURRENTLY; for a change of type, add a second column instead
    """
    for statement in seen.statements:
        written = {item.relation for item in statement.rewrites if item.kind != "i"}
        for rewrite in statement.rewrites:
            mode = _mode(statement, rewrite.table)
            if rewrite.kind == "i" and rewrite.table not in written and mode and seen.trace.by_name[rewrite.table].rows:
                name = f"{rewrite.table}.{rewrite.relation.rpartition('.')[2]}"
                message = f"it was rebuilt under {mode} on {rewrite.table}"
                schema = seen.before.by_name[rewrite.table].schema
                index = identifier(schema, rewrite.relation.removeprefix(f"{schema}."))
                again = fixes.concurrently(statement, execute(f"REINDEX INDEX CONCURRENTLY {index}"))
                fix = fixes.retyped(seen, seen.trace.by_name[rewrite.table]) or again
                yield Breach(name, message, fix, statement)


@rule("index-build-blocking", "error", "Indexes on tables in use are built CONCURRENTLY")
def index_build_blocking(seen: Observations) -> Iterator[Breach]:
    """Find new indexes on tables with rows that are built under a lock which blocks writes.

    Why: the whole table is read while writes to it wait
    Fix: build it with postgresql_concurrently=True inside op.get_context().autocommit_block()
    """
    for statement in seen.statements:
        for part, table in _made(seen, statement, "index"):
            mode = _mode(statement, table.name)
            if mode and _built(statement, part) and not _constraint_of(statement, part):
                fix = fixes.index(seen, statement, part, table)
                message = f"all {table.rows} seeded rows were read while {mode} on {table.name} stopped every writer"
                yield Breach(f"{table.name}.{part.name}", message, fix, statement)


@rule("unique-build-blocking", "error", "Keys on tables in use are added USING INDEX")
def unique_build_blocking(seen: Observations) -> Iterator[Breach]:
    """Find keys and exclusion constraints whose index is built by the same statement.

    Why: the index is built while the table can neither be read nor written
    Fix: build a unique index CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX; EXCLUDE has no such option
    """
    for statement in seen.statements:
        for part, table in _made(seen, statement, "p", "u", "x"):
            if _key_built(statement, part):
                word = CONSTRAINTS[part.kind]
                fix = "" if part.kind == "x" else fixes.key(seen, statement, part, table, word)
                message = f"{word} built its index over {table.rows} seeded rows under ACCESS EXCLUSIVE"
                yield Breach(f"{table.name}.{part.name}", message, fix, statement)


@rule("check-scan-blocking", "error", "A CHECK on a table in use is added NOT VALID, then validated")
def check_scan_blocking(seen: Observations) -> Iterator[Breach]:
    """Find CHECK constraints that are added to tables with rows and validated at once.

    Why: every row is read while the table can neither be read nor written
    Fix: ADD CONSTRAINT ... CHECK (...) NOT VALID, then VALIDATE CONSTRAINT in a later transaction
    """
    yield from _scanning_constraint(seen, "c", "under ACCESS EXCLUSIVE")


@rule("fk-scan-blocking", "error", "A foreign key on a table in use is added NOT VALID, then validated")
def fk_scan_blocking(seen: Observations) -> Iterator[Breach]:
    """Find foreign keys that are added to tables with rows and validated at once.

    Why: every row is checked while writes to both tables wait
    Fix: ADD CONSTRAINT ... FOREIGN KEY ... NOT VALID, then VALIDATE CONSTRAINT in a later transaction
    """
    yield from _scanning_constraint(seen, "f", "under SHARE ROW EXCLUSIVE on both tables")


@rule("not-null-scan-blocking", "error", "NOT NULL is set after a validated CHECK proves it")
def not_null_scan_blocking(seen: Observations) -> Iterator[Breach]:
    """Find columns that become NOT NULL by a scan of their table.

    Why: every row is read while the table can neither be read nor written
    Fix: add CHECK (column IS NOT NULL) NOT VALID, validate it, SET NOT NULL (which then reads nothing), drop the CHECK
    """
    for statement in seen.statements:
        for part, table in _made(seen, statement, "not null"):
            flipped = any(
                (gone.kind, gone.table, gone.name) == ("column", part.table, part.name) for gone in statement.gone
            )
            building = any(_key_built(statement, key) for key in statement.made if key.table == part.table)
            if flipped and not building:
                message = f"all {table.rows} seeded rows were read under ACCESS EXCLUSIVE"
                yield Breach(f"{table.name}.{part.name}", message, fixes.not_null(seen, part, table), statement)


@rule("partition-attach-scan", "error", "A partition is attached with a CHECK that proves its bounds")
def partition_attach_scan(seen: Observations) -> Iterator[Breach]:
    """Find ATTACH PARTITION that scans an existing table.

    Why: every row of the partition, or of the default partition, is read while it is locked
    Fix: first add and validate a CHECK that implies the bounds; drop it after ATTACH
    """
    for statement in seen.statements:
        children = [part for part in statement.made if part.kind == "partition" and seen.trace.by_oid.get(part.target)]
        scanned = seen.trace.scanned(statement)
        for part in children:
            for name in sorted(name for name in scanned if _mode(statement, name)):
                message = f"all {seen.trace.by_name[name].rows} seeded rows were read to attach {part.name}"
                yield Breach(name, message, statement=statement)


def attaches(statement: TracedStatement) -> bool:
    """Return whether a statement attached a partition."""
    return any(part.kind == "partition" for part in statement.made)


def explained(seen: Observations, statement: TracedStatement, name: str) -> bool:
    """Return whether another rule of this file already reports a scan."""
    table = seen.trace.by_name[name]
    if attaches(statement) or any(item.table == name for item in statement.rewrites):
        return True
    parts = [part for part in statement.made if part.table == table.oid]
    flips = any(part.kind == "not null" for part in parts)
    builds = any(part.kind in ("index", "p", "u", "x") for part in parts)
    return flips or builds or any(_fresh(statement, part) for part in parts if part.kind in "cf")


def _scanning_constraint(seen: Observations, kind: str, lock: str) -> Iterator[Breach]:
    for statement in seen.statements:
        for part, table in _made(seen, statement, kind):
            if part.valid and _fresh(statement, part):
                message = f"all {table.rows} seeded rows were read {lock} to prove {CONSTRAINTS[kind]} {part.name}"
                fix = fixes.constraint(seen, part, table, CONSTRAINTS[kind])
                yield Breach(f"{table.name}.{part.name}", message, fix, statement)


def _made(seen: Observations, statement: TracedStatement, *kinds: str) -> Iterator[tuple[CatalogPart, Relation]]:
    """Yield the parts of these kinds that a statement made on tables with rows which it read and did not rewrite.

    What partitions inherit is left out where the table above has the same part.
    """
    scanned = seen.trace.scanned(statement)
    written = {item.relation for item in statement.rewrites if item.kind != "i"}
    for part in statement.made:
        table = seen.trace.table(part.table)
        if part.kind in kinds and table and table.name in scanned and table.name not in written:
            root = seen.trace.by_name.get(table.root, table)
            if root is table or not any(
                other.table == root.oid and other.kind == part.kind for other in statement.made
            ):
                yield part, table


def _fresh(statement: TracedStatement, part: CatalogPart) -> bool:
    """Return whether a constraint was not there before, under its name, in whatever state."""
    return not any((gone.kind, gone.table, gone.name) == (part.kind, part.table, part.name) for gone in statement.gone)


def _built(statement: TracedStatement, part: CatalogPart) -> bool:
    """Return whether this statement built an index: not only renamed, validated or rebuilt it for a change of type."""
    return not any(
        gone.kind == "index" and (gone.index == part.index or gone.name == part.name) for gone in statement.gone
    )


def _constraint_of(statement: TracedStatement, index: CatalogPart) -> bool:
    return any(part.kind in ("p", "u", "x") and part.index == index.index for part in statement.made)


def _key_built(statement: TracedStatement, key: CatalogPart) -> bool:
    """Return whether a key is new and its index too."""
    index = next((part for part in statement.made if part.kind == "index" and part.index == key.index), None)
    return key.kind in ("p", "u", "x") and index is not None and _built(statement, index) and _fresh(statement, key)


def _mode(statement: TracedStatement, name: str) -> str:
    """The strongest lock that stops writers of a relation during a statement, as SQL writes it; empty for none."""
    locks = [lock for lock in (*statement.locks, *statement.held) if lock.relation == name and lock.blocks_writes]
    found = max(locks, key=lambda lock: MODES.index(lock.mode), default=None)
    return found.short if found else ""
