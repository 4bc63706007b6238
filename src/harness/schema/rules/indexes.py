"""Redundant and invalid indexes."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog import Index, Snapshot, Table
from harness.rules import Breach, rule
from harness.schema.alembic_code import drop_index, fix, outside
from harness.sql.operations import execute, op
from harness.sql.quoting import identifier


def _referenced(snapshot: Snapshot) -> set[int]:
    """OIDs of the indexes that foreign keys rely on."""
    return {key.index for table in snapshot.tables for key in table.constraints if key.kind == "f"}


Keys = tuple[tuple[object, ...], ...]


def _keys(index: Index) -> Keys:
    """What makes two keys the same: column or expression, opclass, collation and direction."""
    return tuple((key.number or key.text, key.opclass, key.collation, key.option) for key in index.keys)


@rule("index-duplicate", "error", "Each index is different")
def index_duplicate(snapshot: Snapshot) -> Iterator[Breach]:
    """Find indexes with the method, keys, predicate and included columns of another index.

    Why: every write maintains both, and both take disk space and cache; either one serves every query of the other
    Fix: drop the index that is named here
    """
    referenced = _referenced(snapshot)
    for table in snapshot.relations:
        if table.partition:
            continue
        groups: dict[tuple[object, ...], list[Index]] = {}
        for index in table.indexes:
            if index.valid:
                shape = (
                    index.method,
                    _keys(index),
                    index.predicate,
                    frozenset(index.included),
                    _operators(table, index),
                )
                groups.setdefault(shape, []).append(index)
        for same in groups.values():
            survivor, *losers = sorted(same, key=lambda index: (*_worth(index, referenced), index.name))
            for loser in losers:
                yield Breach(
                    f"{table.qualified}.{loser.name}",
                    f"{survivor.name} is the same: {survivor.definition}",
                    drop_index(table, loser),
                )


def _operators(table: Table, index: Index) -> str:
    """An exclusion constraint's own text: its operators are not part of the index."""
    if not index.exclusion or index.primary or index.unique:
        return ""
    return next((item.definition for item in table.constraints if item.name == index.constraint), "")


def _worth(index: Index, referenced: set[int]) -> tuple[bool, ...]:
    """What decides which of two equal indexes stays, best first: false sorts before true."""
    return (
        not index.primary,
        index.oid not in referenced,
        not index.unique,
        not index.immediate,
        index.constraint is None,
        not index.replica_identity,
    )


@rule("index-redundant", "warning", "No index is a prefix of another")
def index_redundant(snapshot: Snapshot) -> Iterator[Breach]:
    """Find non-unique B-tree indexes whose keys are the first keys of another valid index with the same predicate.

    Why: the longer index serves every query that the shorter one does, and every write maintains both
    Fix: drop the shorter index
    """
    for table in snapshot.relations:
        if table.partition:
            continue
        trees = [(index, _keys(index)) for index in table.indexes if index.method == "btree" and index.valid]
        for index, keys in trees:
            longer = next((item for item, more in trees if not index.unique and _begins(index, keys, item, more)), None)
            if longer:
                yield Breach(
                    f"{table.qualified}.{index.name}",
                    f"{longer.name} begins with the same keys: {longer.definition}",
                    drop_index(table, index),
                )


def _begins(index: Index, mine: Keys, other: Index, theirs: Keys) -> bool:
    """Return whether `other` has all of `index` and more keys after it."""
    return (
        len(mine) < len(theirs)
        and theirs[: len(mine)] == mine
        and index.predicate == other.predicate
        and set(index.included) <= {*other.columns, *other.included}
    )


@rule("unique-redundant", "warning", "No unique key contains another")
def unique_redundant(snapshot: Snapshot) -> Iterator[Breach]:
    """Find unique keys that contain all columns of another unique key, unless a foreign key refers to them.

    Why: the smaller key already guarantees the larger one, and each write checks both
    Fix: drop the larger unique key, or keep it as a plain index if queries need it
    """
    referenced = _referenced(snapshot)
    for table in snapshot.roots:
        keys = [index for index in table.indexes if index.unique and index.valid]
        for index in keys:
            if index.primary or index.oid in referenced or index.replica_identity:
                continue
            smaller = next((other for other in keys if _implies(table, other, index)), None)
            if smaller:
                columns = ", ".join(table.names(smaller.columns))
                yield Breach(
                    f"{table.qualified}.{index.name}",
                    f"{smaller.name} keeps ({columns}) unique already",
                    drop_index(table, index),
                )


def _implies(table: Table, smaller: Index, larger: Index) -> bool:
    """Return whether `smaller` alone makes `larger` unique.

    Where the larger key compares nulls as equal and the smaller does not, a null in the smaller lets duplicates in.
    """
    if not smaller.total or not set(smaller.columns) < set(larger.columns):
        return False
    nullable = any(not table.by_number[number].not_null for number in smaller.columns)
    return not (larger.nulls_not_distinct and nullable and not smaller.nulls_not_distinct)


@rule("index-invalid", "error", "Every index is valid")
def index_invalid(snapshot: Snapshot) -> Iterator[Breach]:
    """Find invalid indexes, also on partitions.

    Why: no query uses an invalid index, but every write maintains it; a failed CREATE INDEX CONCURRENTLY leaves one
    Fix: REINDEX INDEX CONCURRENTLY, or drop and create it again; on a partitioned table attach the missing parts
    """
    for table in snapshot.relations:
        for index in table.indexes:
            if not index.valid:
                name = identifier(table.schema, index.name)
                repair = outside(execute(f"REINDEX INDEX CONCURRENTLY {name}"))
                if table.kind == "p":
                    repair = execute(f"ALTER INDEX {name} ATTACH PARTITION ...")
                yield Breach(f"{table.qualified}.{index.name}", f"invalid: {index.definition}", fix(repair))


@rule("matview-without-unique-index", "warning", "A materialized view can be refreshed while it is read")
def matview_without_unique_index(snapshot: Snapshot) -> Iterator[Breach]:
    """Find materialized views without a unique index on plain columns over all rows.

    Why: REFRESH ... CONCURRENTLY needs a unique index on plain columns over all rows; without it, readers wait
    Fix: add a unique index on the columns that identify a row
    """
    for view in snapshot.relations:
        if view.kind == "m" and not any(index.unique and index.total for index in view.indexes):
            partial = next((index for index in view.indexes if index.unique), None)
            near = f"; {partial.name} does not count: {partial.definition}" if partial else ""
            first = view.columns[0].name if view.columns else "..."
            yield Breach(
                view.qualified,
                f"no unique index covers every row{near}",
                fix(
                    op("create_index", f"uq_{view.name}", view.name, [first], schema=view.schema, unique=True),
                    "in the migration that makes the view; a model does not declare it",
                ),
            )
