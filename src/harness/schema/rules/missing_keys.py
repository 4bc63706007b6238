"""Missing foreign keys."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog import Column, Snapshot, Table
from harness.rules import Breach, rule
from harness.schema.alembic_code import argument, create_foreign_key, fix
from harness.schema.rules.foreign_keys import every


@rule("foreign-key-missing", "error", "A column that is named like a reference is a foreign key")
def foreign_key_missing(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns in no foreign key, named and typed like one: t_id for a table t, ts or tes, or as in other tables.

    Why: nothing keeps the value valid: rows that refer to nothing appear with the first race or forgotten delete
    Fix: add the foreign key, or rename the column if it refers to something outside this database
    """
    elsewhere = _elsewhere(snapshot)
    for table in snapshot.roots:
        referencing = {number for key in table.constraints if key.kind == "f" for number in key.columns}
        for column in table.columns:
            referred = None if column.number in referencing else _referred(snapshot, elsewhere, table, column)
            if referred:
                target, key, says = referred
                yield Breach(
                    f"{table.qualified}.{column.name}",
                    f"{says} {target.qualified}.{key.name}, and no foreign key has the column",
                    fix(
                        create_foreign_key(table, target, f"fk_{table.name}_{column.name}", [column.name], [key.name]),
                        argument(column.name, f'ForeignKey("{target.name}.{key.name}"), index=True'),
                    ),
                )


Reference = tuple[Table, Table, Column]
"""A table with a foreign key of one column, the table that it refers to, and the column there."""


def _referred(
    snapshot: Snapshot, elsewhere: dict[str, Reference], table: Table, column: Column
) -> tuple[Table, Column, str] | None:
    """Return the table and column that a column's name refers to, and the words that say why."""
    if column.array:
        return None
    if meant := _meant(snapshot, table, column):
        return *meant, f"the name and the type {column.type} are those of a reference to"
    if known := _known(elsewhere, table, column):
        first, target, key = known
        return target, key, f"in {first.qualified} the same name and type {column.type} refer to"
    return None


def _meant(snapshot: Snapshot, table: Table, column: Column) -> tuple[Table, Column] | None:
    """Return the table that a column's name refers to, in its own schema before any other, and that table's key."""
    stem = column.name.removesuffix("_id")
    if not stem or stem == column.name:
        return None
    schemas = [table.schema, *(schema.name for schema in snapshot.schemas if schema.name != table.schema)]
    for schema in schemas:
        for name in (stem, f"{stem}s", f"{stem}es"):
            target = snapshot.by_name.get(f"{schema}.{name}")
            if target and not target.partition and target.primary_key and len(target.primary_key.columns) == 1:
                key = target.by_number[target.primary_key.columns[0]]
                if target is table and key is column:
                    return None
                if key.base_oid == column.base_oid:
                    return target, key
    return None


def _elsewhere(snapshot: Snapshot) -> dict[str, Reference]:
    """What a column x_id refers to, by its name, where all foreign keys of that name agree.

    A reference to the own table says nothing of others: parent_id is another parent in each.
    """
    found: dict[str, list[Reference]] = {}
    for table, key in every(snapshot):
        target = snapshot.by_oid.get(key.target)
        name = table.by_number[key.columns[0]].name
        if target and target is not table and len(key.columns) == 1 and name.endswith("_id"):
            found.setdefault(name, []).append((table, target, target.by_number[key.referenced[0]]))
    return {name: seen[0] for name, seen in found.items() if len({(item[1].oid, item[2].number) for item in seen}) == 1}


def _known(elsewhere: dict[str, Reference], table: Table, column: Column) -> Reference | None:
    """Return the reference elsewhere of the same name and type, unless the column has a default or a kind."""
    known = elsewhere.get(column.name)
    kind = f"{column.name.removesuffix('_id')}_type"
    if known is None or known[1] is table or kind in table.by_name or column.identity or column.generated:
        return None
    serial = (column.default or "").startswith("nextval(")
    return known if known[2].base_oid == column.base_oid and not serial else None
