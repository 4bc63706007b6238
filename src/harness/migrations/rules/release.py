"""Compatibility with the previous release, which runs until the new one is everywhere."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog import Column, Constraint, Table, Type
from harness.migrations.tracing.observations import BrokenStatement, Observations
from harness.rules import Breach, rule


@rule("drop-column", "error", "No column is dropped while a release reads it")
def drop_column(seen: Observations) -> Iterator[Breach]:
    """Find columns that are dropped, also if one of the same name is added.

    Why: the previous release is still running, and its queries name the column
    Fix: ship a release that does not use it, then this revision, with an exemption that names the release
    """
    for old, new in tables(seen):
        for column in old.columns:
            if column.number not in new.by_number:
                again = "; the new column of this name does not have its values" if column.name in new.by_name else ""
                yield Breach(f"{old.qualified}.{column.name}", f"the column was dropped{again}")


@rule("drop-table", "error", "No table is dropped while a release reads it")
def drop_table(seen: Observations) -> Iterator[Breach]:
    """Find tables that are dropped, also if one of the same name is created.

    Why: the previous release is still running, and its queries name the table
    Fix: ship a release that does not use it, then this revision, with an exemption that names the release
    """
    for table in seen.before.tables if seen.complete else ():
        if table.oid not in seen.after.by_oid:
            again = "; another table now has its name" if table.qualified in seen.after.by_name else ""
            yield Breach(table.qualified, f"the table was dropped{again}")


@rule("rename-column", "error", "No column is renamed")
def rename_column(seen: Observations) -> Iterator[Breach]:
    """Find columns that are renamed.

    Why: the previous release is still running, and its queries name the column
    Fix: add a column with the other name, and copy the values
    """
    for old, new in tables(seen):
        for column in old.columns:
            now = new.by_number.get(column.number)
            if now and now.name != column.name:
                yield Breach(f"{old.qualified}.{column.name}", f"it was renamed to {now.name}")


@rule("rename-table", "error", "No table is renamed")
def rename_table(seen: Observations) -> Iterator[Breach]:
    """Find tables that are renamed or moved to another schema, unless a view replaces them.

    Why: the previous release is still running, and its queries name the table
    Fix: keep the name, or rename it and create an updatable view with the old name in the same transaction
    """
    renamed = dict(_renamed_schemas(seen))
    for old, new in tables(seen):
        view = seen.after.by_name.get(old.qualified)
        replaced = view is not None and view.kind == "v"
        if (renamed.get(old.schema, old.schema), old.name) != (new.schema, new.name) and not replaced:
            again = "; another table now has its name" if view else ""
            yield Breach(old.qualified, f"it was renamed to {new.qualified}{again}")


@rule("rename-schema", "error", "No schema is renamed")
def rename_schema(seen: Observations) -> Iterator[Breach]:
    """Find schemas that are renamed.

    Why: the previous release is still running, and its queries name the schema
    Fix: keep the name
    """
    for old, new in _renamed_schemas(seen):
        yield Breach(old, f"it was renamed to {new}")


@rule("old-insert-breaks", "error", "The previous release can still insert")
def old_insert_breaks(seen: Observations) -> Iterator[Breach]:
    """Find INSERTs of the previous release that now lack a required value.

    Why: the previous release does not set the column, or relies on its default: every INSERT fails
        until the new release is everywhere
    Fix: keep the default until the previous release is gone, and drop it in a later revision
    """
    for refusal in seen.broken_statements:
        before = _column(seen, refusal)
        if refusal.command == "INSERT" and refusal.sqlstate == "23502" and (before is None or before.not_null):
            name = f"{refusal.table}.{refusal.column}"
            yield Breach(name, f"an INSERT of the previous release fails: {refusal.message}")


@rule("type-change-breaks-prepared", "warning", "No column changes its type under prepared statements")
def type_change_breaks_prepared(seen: Observations) -> Iterator[Breach]:
    """Find prepared statements that fail because the type of a column has changed.

    Why: psycopg prepares a statement that runs more than five times, and each pooled connection then fails once for
        each such statement
    Fix: add a column of the new type; or restart the pool with the revision, and say so in the exemption
    """
    for refusal in seen.broken_statements:
        if refusal.sqlstate != "0A000":
            continue
        old = seen.before.by_name.get(refusal.table)
        new = seen.after.by_oid.get(old.oid) if old else None
        changed = [
            f"{refusal.table}.{column.name}"
            for column in (old.columns if old else ())
            if new and column.number in new.by_number and new.by_number[column.number].type != column.type
        ]
        for name in changed or [refusal.table]:
            yield Breach(name, f"a statement that was prepared before fails: {refusal.message}")


@rule("rename-enum-value", "error", "No enum value is renamed")
def rename_enum_value(seen: Observations) -> Iterator[Breach]:
    """Find enum values that are renamed.

    Why: the previous release writes and expects the old value
    Fix: add the new value, update the rows in batches, and keep the old value
    """
    for old, new in _enums(seen):
        if old.oid == new.oid and len(old.labels) == len(new.labels):
            for label, now in zip(old.labels, new.labels, strict=True):
                if label != now and label not in new.labels:
                    yield Breach(f"{old.qualified}.{label}", f"it was renamed to {now}")


@rule("remove-enum-value", "error", "No enum value is removed")
def remove_enum_value(seen: Observations) -> Iterator[Breach]:
    """Find enum values that are removed.

    Why: the previous release writes and expects the value
    Fix: keep it; forbid it by a CHECK when no release writes it
    """
    for old, new in _enums(seen):
        if old.oid != new.oid or len(old.labels) != len(new.labels):
            for label in old.labels:
                if label not in new.labels:
                    yield Breach(f"{old.qualified}.{label}", "the type no longer has it")


@rule("new-constraint-rejects-old-writes", "warning", "The previous release can still write")
def new_constraint_rejects_old_writes(seen: Observations) -> Iterator[Breach]:
    """Find INSERTs of the previous release that a new constraint rejects, and (as an info) those that it may reject.

    Why: the previous release may write what the constraint rejects, and its users see errors
    Fix: ship a release that writes only what the constraint allows, then add the constraint
    """
    for refusal in seen.broken_statements:
        before = _column(seen, refusal)
        null = refusal.sqlstate == "23502" and before is not None and not before.not_null
        refused = refusal.sqlstate in ("23514", "23505", "23P01") and refusal.column  # a missing partition names none
        if refusal.command == "INSERT" and (null or refused):
            yield Breach(
                f"{refusal.table}.{refusal.column}", f"an INSERT of the previous release fails: {refusal.message}"
            )
    for old, new in tables(seen):
        for name, text in _new_constraints(old, new):
            yield Breach(
                f"{old.qualified}.{name}", f"{text} is new, on columns that the previous release writes", level="info"
            )


@rule("drop-not-null", "warning", "A column does not become nullable by accident")
def drop_not_null(seen: Observations) -> Iterator[Breach]:
    """Find columns that are no longer NOT NULL.

    Why: the previous release does not expect nulls in the column
    Fix: first ship a release that handles nulls
    """
    for old, new in tables(seen):
        for column in old.columns:
            now = new.by_number.get(column.number)
            if now and column.not_null and not now.not_null:
                yield Breach(f"{old.qualified}.{column.name}", "it is now nullable")


@rule("replaced-view", "error", "Views keep their columns")
def replaced_view(seen: Observations) -> Iterator[Breach]:
    """Find views that are dropped, lose a column or change its type.

    Why: the previous release is still running, and its queries name the view
    Fix: add columns at the end, and keep the others
    """
    for view in seen.before.relations if seen.complete else ():
        if view.kind not in "vm":
            continue
        now = seen.after.by_name.get(view.qualified)
        if now is None:
            yield Breach(view.qualified, "the view was dropped")
            continue
        for column in view.columns:
            found = now.by_name.get(column.name)
            if found is None:
                yield Breach(f"{view.qualified}.{column.name}", "the view no longer has this column")
            elif found.type != column.type:
                yield Breach(f"{view.qualified}.{column.name}", f"its type was {column.type} and is now {found.type}")


def tables(seen: Observations) -> Iterator[tuple[Table, Table]]:
    """Yield the tables that are there before and after, by OID; none for a revision that failed."""
    for old in seen.before.tables if seen.complete else ():
        if new := seen.after.by_oid.get(old.oid):
            yield old, new


def _enums(seen: Observations) -> Iterator[tuple[Type, Type]]:
    """Enums that have a successor of the same name."""
    after = {item.qualified: item for item in seen.after.types if item.kind == "e"}
    for old in seen.before.types if seen.complete else ():
        if old.kind == "e" and old.qualified in after:
            yield old, after[old.qualified]


def _renamed_schemas(seen: Observations) -> Iterator[tuple[str, str]]:
    after = {schema.oid: schema.name for schema in seen.after.schemas}
    for schema in seen.before.schemas if seen.complete else ():
        if after.get(schema.oid, schema.name) != schema.name:
            yield schema.name, after[schema.oid]


def _column(seen: Observations, refusal: BrokenStatement) -> Column | None:
    table = seen.before.by_name.get(refusal.table)
    return table.by_name.get(refusal.column) if table else None


def _new_constraints(old: Table, new: Table) -> Iterator[tuple[str, str]]:
    """What may refuse a write to columns that were there before: its name and what it is.

    A CHECK that takes the place of one with its name is judged by the rows, not by its presence.
    """
    names = {item.name for item in old.constraints if item.kind == "c"}
    known = {item.definition for item in old.constraints}
    for item in new.constraints:
        if item.kind in "cufx" and item.definition not in known and item.name not in names and _is_old(old, item):
            yield item.name, item.definition
    indexes = {index.oid for index in old.indexes}
    for index in new.indexes:
        if index.unique and index.constraint is None and index.oid not in indexes:
            yield index.name, index.definition
    for column in new.columns:
        before = old.by_number.get(column.number)
        if before and column.not_null and not before.not_null and column.default is None:
            yield column.name, "NOT NULL"


def _is_old(old: Table, constraint: Constraint) -> bool:
    return bool(constraint.columns) and all(number in old.by_number for number in constraint.columns)
