"""Conventions of a project."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.catalog import Constraint, Snapshot, Table
from harness.rules import Breach, rule
from harness.schema.alembic_code import NUMBERED, fix
from harness.schema.options import Options
from harness.sql.operations import Code, execute, op, source
from harness.sql.quoting import identifier, qualified

SURROGATES = ("int2", "int4", "int8", "uuid")


@rule("table-isolated", "warning", "Every table is connected by a foreign key", optional=True)
def table_isolated(snapshot: Snapshot) -> Iterator[Breach]:
    """Find tables without a foreign key in either direction.

    Why: a table without foreign keys is often left over, or is related to others in code only
    Fix: add the missing foreign keys, or drop the table
    """
    for table in snapshot.roots:
        if not table.foreign_keys and table.oid not in snapshot.referrers:
            yield Breach(table.qualified, "no foreign key in either direction")


@rule("primary-key-not-first", "warning", "The primary key columns come first", optional=True)
def primary_key_not_first(snapshot: Snapshot) -> Iterator[Breach]:
    """Find tables whose first columns are not the primary key.

    Why: readers and tools expect the key in the first columns
    Fix: declare the key columns first; existing tables keep their order
    """
    for table in snapshot.roots:
        key = table.primary_key
        if key and {column.number for column in table.columns[: len(key.columns)]} != set(key.columns):
            first = ", ".join(column.name for column in table.columns[: len(key.columns)])
            yield Breach(table.qualified, f"{first} is before ({', '.join(table.names(key.columns))})")


@rule("natural-key", "warning", "A primary key is a generated value", optional=True)
def natural_key(snapshot: Snapshot) -> Iterator[Breach]:
    """Find primary key columns that are not an integer, uuid, foreign key or partition key.

    Why: a value with a meaning changes one day, and every reference to it has to change too
    Fix: add a generated key, and a unique constraint on the natural one
    """
    for table in snapshot.roots:
        if table.primary_key is None or table.kind == "p":
            continue
        referencing = {number for key in table.foreign_keys for number in key.columns}
        for number in table.primary_key.columns:
            column = table.by_number[number]
            if number not in referencing and column.base not in SURROGATES:
                yield Breach(
                    f"{table.qualified}.{column.name}",
                    f"{column.type} in the primary key",
                    fix(
                        op("add_column", table.name, NUMBERED, schema=table.schema),
                        "id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)",
                    ),
                )


_NAME_PARTS = {"attribute", "attr", "key", "property", "field", "name"}


@rule("eav", "warning", "Attributes are columns", optional=True)
def eav(snapshot: Snapshot) -> Iterator[Breach]:
    """Find tables with a foreign key, a column that holds a name, and a text column named value.

    Why: rows of name and value share one type, have no constraints, and need a join for each attribute
    Fix: use columns, or one jsonb column for attributes that cannot be known in advance
    """
    for table in snapshot.roots:
        value = next((item for item in table.columns if "value" in item.name.split("_")), None)
        names = [item.name for item in table.columns if _NAME_PARTS & set(item.name.removesuffix("_id").split("_"))]
        if value and names and table.foreign_keys and value.base in ("text", "varchar", "jsonb"):
            yield Breach(table.qualified, f"{names[0]} names what {value.name} holds")


@rule("lookup-needless", "warning", "A list of names is not a table", optional=True)
def lookup_needless(snapshot: Snapshot) -> Iterator[Breach]:
    """Find referenced tables with two columns, a generated key and a text, that refer to no other table.

    Why: every query joins a table to read a word that could be in the row itself
    Fix: use text with a CHECK, or an enum
    """
    for table in snapshot.roots:
        key = table.primary_key
        if key is None or len(key.columns) != 1 or len(table.columns) != 2 or table.foreign_keys:
            continue
        label = next((item for item in table.columns if item.number != key.columns[0]), None)
        if label and label.base in ("text", "varchar", "citext") and table.oid in snapshot.referrers:
            users = ", ".join(sorted({user.qualified for user, _ in snapshot.referrers[table.oid]}))
            yield Breach(table.qualified, f"{users} join it for {label.name} alone")


@rule("mandatory-columns", "error", "Every table has the columns that the project requires", optional=True)
def mandatory_columns(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """Find tables without a column that the option mandatory-columns names.

    Why: code and tools that rely on these columns fail for this table only
    Fix: add the columns
    """
    yield from _lacking(snapshot, options.mandatory_columns)


@rule("timestamps-missing", "warning", "A row records when it was created and updated", optional=True)
def timestamps_missing(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """Find tables without a column that the option timestamps names, except tables of foreign keys alone.

    Why: support questions cannot be answered, and incremental exports are not possible
    Fix: add created_at and updated_at, timestamptz NOT NULL DEFAULT now()
    """
    yield from _lacking(snapshot, options.timestamps, joins=False)


def _lacking(snapshot: Snapshot, names: tuple[str, ...], *, joins: bool = True) -> Iterator[Breach]:
    """Tables that lack one of `names`; `joins` says whether tables of foreign keys alone count."""
    for table in snapshot.roots:
        referencing = {number for key in table.foreign_keys for number in key.columns}
        missing = [name for name in names if name not in table.by_name]
        if missing and (joins or referencing != set(table.by_number)):
            column = Code(f"sa.Column({source(missing[0])}, ...)")
            yield Breach(
                table.qualified,
                f"lacks {', '.join(missing)}",
                fix(op("add_column", table.name, column, schema=table.schema), f"{missing[0]}: Mapped[...]"),
            )


KINDS = {"p": "pk", "u": "uq", "f": "fk", "c": "ck"}


@rule("constraint-naming", "warning", "Names follow the naming convention of the metadata", optional=True)
def constraint_naming(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """Find constraints and indexes whose names are not those of the option naming, truncated to 63 characters.

    Why: a migration that drops a constraint by the name of the convention does not find it
    Fix: rename it in a migration
    """
    for table in snapshot.roots:
        for item in table.constraints:
            pattern = options.naming.get(KINDS.get(item.kind, ""))
            if pattern and not item.inherited:
                wanted = _wanted(pattern, snapshot, table, item)
                if not re.fullmatch(wanted, item.name):
                    rename = f"ALTER TABLE {qualified(table)} RENAME CONSTRAINT {identifier(item.name)} TO ..."
                    yield Breach(f"{table.qualified}.{item.name}", f"{pattern} asks for {wanted}", fix(execute(rename)))
        for index in table.indexes:
            pattern = options.naming.get("ix")
            if pattern and not index.constraint and 0 not in index.columns:
                wanted = _filled(pattern, table, list(table.names(index.columns)), "")
                if not re.fullmatch(wanted, index.name):
                    rename = f"ALTER INDEX {identifier(table.schema, index.name)} RENAME TO ..."
                    yield Breach(
                        f"{table.qualified}.{index.name}", f"{pattern} asks for {wanted}", fix(execute(rename))
                    )


def _wanted(pattern: str, snapshot: Snapshot, table: Table, item: Constraint) -> str:
    """The names that the convention allows a constraint, as a regular expression."""
    target = snapshot.by_oid.get(item.target)
    return _filled(pattern, table, list(table.names(item.columns)), target.name if target else "")


def _filled(pattern: str, table: Table, columns: list[str], target: str) -> str:
    """A convention's pattern with its tokens filled in; a constraint's own name may be anything."""
    values = {
        "table_name": table.name,
        "referred_table_name": target,
        "constraint_name": "\0",
        "column_0_label": f"{table.name}_{columns[0]}" if columns else "",
        "column_0_name": columns[0] if columns else "",
        "column_0_N_name": "_".join(columns),
        "column_0N_name": "".join(columns),
    }
    return re.escape((pattern % values)[:63]).replace("\0", ".+")
