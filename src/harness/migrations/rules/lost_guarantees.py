"""Constraints that are dropped."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog import Constraint, Index, Table
from harness.migrations.rules.release import tables
from harness.migrations.tracing.observations import Observations
from harness.rules import Breach, rule


@rule("drop-fk", "warning", "A foreign key is not dropped by accident")
def drop_fk(seen: Observations) -> Iterator[Breach]:
    """Find foreign keys that are dropped while both tables and all columns remain.

    Why: rows may refer to rows that do not exist, and deletes no longer cascade
    Fix: state in the exemption what keeps the references valid
    """
    for old, new in tables(seen):
        kept = {(key.columns, key.target) for key in new.foreign_keys}
        for key in old.foreign_keys:
            whole = all(number in new.by_number for number in key.columns)
            if whole and (key.columns, key.target) not in kept and key.target in seen.after.by_oid:
                yield Breach(f"{old.qualified}.{key.name}", f"{key.definition} was dropped")


@rule("drop-unique", "warning", "A unique constraint or index is not dropped by accident")
def drop_unique(seen: Observations) -> Iterator[Breach]:
    """Find unique indexes that are dropped while their columns remain and no other index replaces them.

    Why: the previous release's ON CONFLICT has no matching constraint, and new duplicates would block the downgrade
    Fix: state in the exemption which release no longer needs it, and how duplicates are found before a rollback
    """
    for old, new in tables(seen):
        kept = {key for index in new.indexes if index.unique and index.valid for key in _keys(index)}
        for index in old.indexes:
            whole = all(number in new.by_number for number in index.columns if number)
            own = index.unique and index.valid and not index.parent
            if own and whole and not kept.intersection(_keys(index)):
                yield Breach(f"{old.qualified}.{index.name}", f"{index.definition} was dropped")


@rule("drop-check", "warning", "A CHECK or EXCLUDE is not dropped by accident")
def drop_check(seen: Observations) -> Iterator[Breach]:
    """Find CHECK and EXCLUDE constraints that are dropped while their columns remain and no other replaces them.

    A new one on the same columns, or of the same name, takes its place; so does NOT NULL for a CHECK that proved it.

    Why: rows that the previous release does not expect can be written, and would block the downgrade
    Fix: state in the exemption what keeps the rows valid
    """
    for old, new in tables(seen):
        before = {(item.kind, item.name) for item in old.constraints}
        fresh = {item.columns for item in new.constraints if (item.kind, item.name) not in before}
        names = {item.name for item in new.constraints} | {item.oid for item in new.constraints}
        for item in old.constraints:
            whole = all(number in new.by_number for number in item.columns)
            gone = item.kind in "cx" and not item.inherited and not {item.name, item.oid} & names
            if gone and whole and item.columns not in fresh and not _proved(new, item):
                yield Breach(f"{old.qualified}.{item.name}", f"{item.definition} was dropped")


def _keys(index: Index) -> list[object]:
    """What ON CONFLICT finds an index by: its columns in any order; with expressions or a predicate, what is written.

    A change of type writes expressions in another way: then its name counts.
    """
    if index.total:
        return [tuple(sorted(index.columns))]
    return [index.definition.partition(" USING ")[2], (index.name, index.columns, index.predicate)]


def _proved(table: Table, check: Constraint) -> bool:
    """Return whether a CHECK said that a column IS NOT NULL, and the column says so itself now."""
    columns = [table.by_number[number] for number in check.columns]
    plain = check.definition.endswith("IS NOT NULL))") and " OR " not in check.definition.upper()
    return plain and all(column.not_null for column in columns)
