"""What a project may agree on for all its tables."""

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


@rule(
    "table-isolated",
    "warning",
    "A table is related to another",
    why="a table without references in or out is often left over, or related in code only",
    fix="add the foreign keys that it has in truth, or drop it",
    optional=True,
)
def table_isolated(snapshot: Snapshot) -> Iterator[Breach]:
    """No foreign key in either direction."""
    for table in snapshot.roots:
        if not table.foreign_keys and table.oid not in snapshot.referrers:
            yield Breach(table.qualified, "no foreign key leaves or reaches the table")


@rule(
    "primary-key-not-first",
    "warning",
    "The primary key comes first",
    why="people and tools look for the key at the left",
    fix="declare the key columns first; existing tables keep their order",
    optional=True,
)
def primary_key_not_first(snapshot: Snapshot) -> Iterator[Breach]:
    """The columns of the primary key are not the first of the table."""
    for table in snapshot.roots:
        key = table.primary_key
        if key and {column.number for column in table.columns[: len(key.columns)]} != set(key.columns):
            first = ", ".join(column.name for column in table.columns[: len(key.columns)])
            yield Breach(table.qualified, f"{first} stands before ({', '.join(table.names(key.columns))})")


@rule(
    "natural-key",
    "warning",
    "A primary key has no meaning",
    why="what means something changes one day, and then every reference to it must change too",
    fix="a generated key, and a unique constraint on the natural one",
    optional=True,
)
def natural_key(snapshot: Snapshot) -> Iterator[Breach]:
    """A primary key column that is neither an integer, a uuid, part of a foreign key, nor a partition key."""
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
                        op(
                            "add_column",
                            table.name,
                            NUMBERED,
                            schema=table.schema,
                        ),
                        "id: mapped_column(BigInteger, Identity(always=True), primary_key=True)",
                    ),
                )


_NAME_PARTS = {"attribute", "attr", "key", "property", "field", "name"}


@rule(
    "eav",
    "warning",
    "An attribute is a column",
    why="rows of name and value have one type for all, no constraints, and need a join for each attribute read",
    fix="columns, or one jsonb column for what cannot be known ahead",
    optional=True,
)
def eav(snapshot: Snapshot) -> Iterator[Breach]:
    """A table with a foreign key, a column named for a name, and a text column named value."""
    for table in snapshot.roots:
        value = next((item for item in table.columns if "value" in item.name.split("_")), None)
        names = [item.name for item in table.columns if _NAME_PARTS & set(item.name.removesuffix("_id").split("_"))]
        if value and names and table.foreign_keys and value.base in ("text", "varchar", "jsonb"):
            yield Breach(table.qualified, f"{names[0]} names what {value.name} holds")


@rule(
    "lookup-needless",
    "warning",
    "A list of names is not a table",
    why="every reader joins to see a word that could stand in the row itself",
    fix="text with a CHECK, or an enum",
    optional=True,
)
def lookup_needless(snapshot: Snapshot) -> Iterator[Breach]:
    """Two columns, a surrogate key and a text, referenced by a foreign key and referring to nothing."""
    for table in snapshot.roots:
        key = table.primary_key
        if key is None or len(key.columns) != 1 or len(table.columns) != 2 or table.foreign_keys:
            continue
        label = next((item for item in table.columns if item.number != key.columns[0]), None)
        if label and label.base in ("text", "varchar", "citext") and table.oid in snapshot.referrers:
            users = ", ".join(sorted({user.qualified for user, _ in snapshot.referrers[table.oid]}))
            yield Breach(table.qualified, f"{users} join it for {label.name} alone")


@rule(
    "mandatory-columns",
    "error",
    "Every table has the columns that the project asks for",
    why="code and tools that rely on them fail for this table only",
    fix="add the columns",
    optional=True,
)
def mandatory_columns(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """A column of the option mandatory-columns is missing."""
    yield from _lacking(snapshot, options.mandatory_columns)


@rule(
    "timestamps-missing",
    "warning",
    "A row says when it was made and changed",
    why="no support question can be answered, and no incremental export is possible",
    fix="created_at and updated_at, timestamptz NOT NULL DEFAULT now()",
    optional=True,
)
def timestamps_missing(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """A column of the option timestamps is missing; tables that are only foreign keys are left out."""
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


@rule(
    "constraint-naming",
    "warning",
    "Names follow the metadata's naming convention",
    why="a migration that drops a constraint by the convention's name does not find it",
    fix="rename it, once, in a migration",
    optional=True,
)
def constraint_naming(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """A constraint or index whose name is not what the option naming makes of it; cut at 63 characters."""
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
