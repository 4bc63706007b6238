"""Foreign keys."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog import Constraint, Snapshot, Table
from harness.rules import Breach, rule
from harness.schema.access.index_match import nearest, serving
from harness.schema.alembic_code import create_index, fix
from harness.schema.cycles import cycles
from harness.sql.operations import Code, execute, op
from harness.sql.quoting import identifier, qualified

ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


def every(snapshot: Snapshot) -> Iterator[tuple[Table, Constraint]]:
    """Yield every foreign key as declared, with its table."""
    for table in snapshot.roots:
        for key in table.foreign_keys:
            yield table, key


def place(table: Table, key: Constraint) -> str:
    """Return the object of a finding about a foreign key."""
    return f"{table.qualified}.{key.name}"


def target_name(snapshot: Snapshot, key: Constraint) -> str:
    """Return the referenced table, `schema.table`."""
    target = snapshot.by_oid.get(key.target)
    return target.qualified if target else "a table out of scope"


def refuses_null(table: Table, number: int) -> bool:
    """Return whether a new row may not have a null in the column; a NOT NULL that is not validated (18) counts."""
    return table.by_number[number].not_null or any(
        item.kind == "n" and item.columns == (number,) for item in table.constraints
    )


@rule("foreign-key-without-index", "error", "The columns of a foreign key are indexed")
def foreign_key_without_index(snapshot: Snapshot) -> Iterator[Breach]:
    """Find foreign keys whose columns no single index serves.

    Why: each delete or key update of a referenced row, and each join from it, reads the whole referencing table
    Fix: add one valid B-tree index whose first keys are the columns of the foreign key, in any order
    """
    for table, key in every(snapshot):
        if serving(table, key.columns) is None:
            names = table.names(key.columns)
            yield Breach(
                place(table, key),
                f"({', '.join(names)}) references {target_name(snapshot, key)}; {nearest(table, key.columns)}",
                create_index(table, names),
            )


@rule("foreign-key-type-mismatch", "error", "A foreign key has the type of the key that it references")
def foreign_key_type_mismatch(snapshot: Snapshot) -> Iterator[Breach]:
    """Find foreign keys whose columns differ in type from the referenced ones; a difference in length alone is ignored.

    Why: each check needs a cast, the join may not use an index, and a wide key does not fit into a narrow column
    Fix: use the type of the referenced column
    """
    for table, key in every(snapshot):
        target = snapshot.by_oid.get(key.target)
        pairs = zip(key.columns, key.referenced, strict=True) if target else ()
        for own, other in pairs:
            column, referenced = table.by_number[own], (target or table).by_number[other]
            if (column.base_oid, column.array) != (referenced.base_oid, referenced.array):
                kind = f"{referenced.type}"
                yield Breach(
                    place(table, key),
                    f"{column.name} is {column.type}, {target_name(snapshot, key)}.{referenced.name} is {kind}",
                    fix(
                        execute(f"ALTER TABLE {qualified(table)} ALTER COLUMN {identifier(column.name)} TYPE {kind}"),
                        f"{column.name}: the type of {referenced.name}, or mapped_column(ForeignKey(...)) without one",
                    ),
                )


@rule("foreign-key-duplicate", "error", "Each reference is one foreign key")
def foreign_key_duplicate(snapshot: Snapshot) -> Iterator[Breach]:
    """Find foreign keys whose columns and referenced columns are those of another foreign key of the table.

    Why: every write is checked twice, and the two may do different things on delete
    Fix: drop one of the two
    """
    for table in snapshot.roots:
        seen: dict[tuple[int, frozenset[tuple[int, int]]], Constraint] = {}
        for key in sorted(table.foreign_keys, key=lambda item: (not item.validated, item.name)):
            pairs = frozenset(zip(key.columns, key.referenced, strict=True))
            first = seen.setdefault((key.target, pairs), key)
            if first is not key:
                yield Breach(
                    place(table, key),
                    f"{first.name} says the same: {first.definition}",
                    fix(
                        op("drop_constraint", key.name, table.name, schema=table.schema, type_="foreignkey"),
                        "one ForeignKey for the column",
                    ),
                )


@rule("foreign-key-composite-nullable", "warning", "All columns of a foreign key are null, or none is")
def foreign_key_composite_nullable(snapshot: Snapshot) -> Iterator[Breach]:
    """Find MATCH SIMPLE foreign keys on two or more nullable columns without a CHECK that covers them all.

    Why: with MATCH SIMPLE one null disables the whole check, so the other columns may refer to a row that does not
        exist
    Fix: make the columns NOT NULL, or add a CHECK that they are null together
    """
    for table, key in every(snapshot):
        nullable = [number for number in key.columns if not table.by_number[number].not_null]
        if key.match != "s" or len(nullable) < 2:
            continue
        checks = [item for item in table.constraints if item.kind == "c"]
        if not any(set(nullable) <= set(check.columns) for check in checks):
            names = table.names(tuple(nullable))
            condition = f"num_nulls({', '.join(map(identifier, names))}) IN (0, {len(names)})"
            yield Breach(
                place(table, key),
                f"{', '.join(names)} may be null one without the other, and no CHECK covers them all",
                fix(
                    op(
                        "create_check_constraint",
                        f"ck_{table.name}_{key.name}"[:63],
                        table.name,
                        condition,
                        schema=table.schema,
                    ),
                    f'CheckConstraint("{condition}")',
                ),
            )


@rule("foreign-key-action-impossible", "error", "The action of a foreign key can be carried out")
def foreign_key_action_impossible(snapshot: Snapshot) -> Iterator[Breach]:
    """Find SET NULL on NOT NULL columns, and SET DEFAULT on NOT NULL columns without a default.

    Why: the action sets a NOT NULL column to null, so deletes fail in production
    Fix: make the column nullable, give it a default, or choose another action
    """
    for table, key in every(snapshot):
        for event, action, columns in (
            ("DELETE", key.on_delete, key.set_columns or key.columns),
            ("UPDATE", key.on_update, key.columns),
        ):
            refusing = [table.by_number[number] for number in columns if refuses_null(table, number)]
            if action == "d":
                refusing = [column for column in refusing if column.default is None]
            if action in ("n", "d") and refusing:
                names = ", ".join(column.name for column in refusing)
                lack = " and has no default" if action == "d" else ""
                yield Breach(
                    place(table, key),
                    f"ON {event} {ACTIONS[action]}, but {names} is NOT NULL{lack}",
                    fix(
                        op("alter_column", table.name, refusing[0].name, schema=table.schema, nullable=True),
                        f'ForeignKey(..., on{event.lower()}="CASCADE" or "RESTRICT"), or Mapped[... | None]',
                    ),
                )


@rule("foreign-key-cycle", "error", "Foreign keys form no cycle that blocks the first insert")
def foreign_key_cycle(snapshot: Snapshot) -> Iterator[Breach]:
    """Find cycles of foreign keys that are all NOT NULL and not deferrable.

    Why: each table of the cycle needs a row in the next one first, so no row can be inserted
    Fix: make one reference of the cycle nullable, or DEFERRABLE INITIALLY DEFERRED
    """
    binding: dict[tuple[int, int], tuple[Table, Constraint]] = {}
    for table, key in every(snapshot):
        if not key.deferrable and key.enforced and all(refuses_null(table, number) for number in key.columns):
            binding.setdefault((table.oid, key.target), (table, key))
    for cycle in cycles(binding):
        steps = [binding[edge] for edge in cycle]
        table, key = steps[0]
        path = " -> ".join([*(step.qualified for step, _ in steps), table.qualified])
        yield Breach(
            place(table, key),
            f"{path}: every reference is NOT NULL and not deferrable",
            fix(
                execute(
                    f"ALTER TABLE {qualified(table)} ALTER CONSTRAINT {identifier(key.name)} "
                    "DEFERRABLE INITIALLY DEFERRED"
                ),
                f'ForeignKey(..., deferrable={Code(True)}, initially="DEFERRED")',
            ),
        )
