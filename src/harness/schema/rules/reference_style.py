"""Style of foreign keys."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog import Constraint, Snapshot, Table
from harness.rules import Breach, rule
from harness.schema.alembic_code import create_foreign_key, fix
from harness.schema.options import Options
from harness.schema.rules.foreign_keys import every, place, target_name
from harness.sql.operations import op


def _again(table: Table, key: Constraint, target: Table | None, *first: str, **named: str) -> str:
    """Return the operations that make a foreign key again, with the column `first` before those that it has."""
    drop = op("drop_constraint", key.name, table.name, schema=table.schema, type_="foreignkey")
    names = [*first, *(target.names(key.referenced) if target else ["..."])]
    create = create_foreign_key(table, target, key.name, [*first, *table.names(key.columns)], names, **named)
    return f"{drop}\n{create}"


@rule("foreign-key-tenant-column", "error", "A reference stays within its tenant", optional=True)
def foreign_key_tenant_column(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """Find foreign keys between tables with the tenant column that do not include it.

    Why: without the tenant in the key, a row of one tenant can refer to a row of another
    Fix: reference (tenant, id), which needs a unique key on both
    """
    name = options.tenant_column
    for table, key in every(snapshot):
        target = snapshot.by_oid.get(key.target)
        if target is None or name not in table.by_name or name not in target.by_name:
            continue
        pairs = set(zip(table.names(key.columns), target.names(key.referenced), strict=True))
        if (name, name) not in pairs and target.names(key.referenced) != (name,):
            both = [name, *target.names(key.referenced)]
            unique = op("create_unique_constraint", f"uq_{target.name}_{name}", target.name, both, schema=target.schema)
            yield Breach(
                place(table, key),
                f"{table.qualified} and {target.qualified} have {name}; {key.definition} does not compare it",
                fix(
                    f"{unique}\n{_again(table, key, target, name)}",
                    f'ForeignKeyConstraint(["{name}", ...], ["{target.name}.{name}", ...])',
                ),
            )


@rule("reference-actions", "warning", "A foreign key states its ON DELETE action", optional=True)
def reference_actions(snapshot: Snapshot) -> Iterator[Breach]:
    """Find foreign keys whose ON DELETE is the default, NO ACTION.

    Why: NO ACTION may mean that nothing was decided; RESTRICT, CASCADE and SET NULL are decisions
    Fix: state ON DELETE
    """
    for table, key in every(snapshot):
        if key.on_delete == "a":
            again = _again(table, key, snapshot.by_oid.get(key.target), ondelete="RESTRICT")
            yield Breach(
                place(table, key), f"{key.definition} has no ON DELETE", fix(again, 'ForeignKey(ondelete="RESTRICT")')
            )


@rule("self-fk-no-action", "warning", "Deleting a row of a tree handles the rows below it", optional=True)
def self_fk_no_action(snapshot: Snapshot) -> Iterator[Breach]:
    """Find foreign keys of a table to itself with ON DELETE NO ACTION.

    Why: with NO ACTION a row can be deleted only after all rows that refer to it, level by level
    Fix: ON DELETE CASCADE or SET NULL
    """
    for table, key in every(snapshot):
        if key.target == table.oid and key.on_delete == "a":
            again = _again(table, key, table, ondelete="CASCADE")
            yield Breach(
                place(table, key), f"{key.definition}: NO ACTION", fix(again, 'ForeignKey(ondelete="CASCADE")')
            )


@rule("foreign-key-intersecting", "warning", "A column belongs to one foreign key", optional=True)
def foreign_key_intersecting(snapshot: Snapshot) -> Iterator[Breach]:
    """Find two foreign keys of a table that share some columns, not all.

    Why: a value must satisfy both references, so each limits the values of the other
    Fix: drop the reference that the other implies; for tenant columns, accept the finding
    """
    for table in snapshot.roots:
        for number, key in enumerate(table.foreign_keys):
            for other in table.foreign_keys[:number]:
                shared = set(key.columns) & set(other.columns)
                if shared and set(key.columns) != set(other.columns):
                    names = ", ".join(table.names(tuple(sorted(shared))))
                    yield Breach(
                        place(table, key),
                        f"{names} is also in {other.name} to {target_name(snapshot, other)}",
                        fix(op("drop_constraint", key.name, table.name, schema=table.schema, type_="foreignkey")),
                    )
