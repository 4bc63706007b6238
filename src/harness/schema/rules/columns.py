"""Columns: nulls, defaults, numbered groups, login names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from harness.catalog import Column, Index, Snapshot, Table
from harness.rules import Breach, rule
from harness.schema.alembic_code import alter_type, argument, fix
from harness.schema.options import Options, has_word
from harness.sql.operations import Code, execute, op
from harness.sql.quoting import identifier, literal, qualified
from harness.wording import plural


@rule("column-boolean-nullable", "warning", "A boolean column is NOT NULL")
def column_boolean_nullable(snapshot: Snapshot) -> Iterator[Breach]:
    """Find boolean columns that are nullable and not generated.

    Why: null is a third value, for which NOT and = return null, so rows with a null match neither `WHERE flag` nor
        `WHERE NOT flag`
    Fix: make the column NOT NULL, with a default
    """
    for table in snapshot.roots:
        for column in table.columns:
            if column.base == "bool" and not column.array and not column.not_null and not column.generated:
                yield Breach(
                    f"{table.qualified}.{column.name}",
                    "the boolean is nullable",
                    fix(
                        op("alter_column", table.name, column.name, schema=table.schema, nullable=False),
                        "Mapped[bool], and " + argument(column.name, 'server_default=text("false")'),
                    ),
                )


_NUMBERED = re.compile(r"^(.*?)_?(\d+)$")


@rule("column-repeating-group", "warning", "A list is stored in rows or an array, not in numbered columns")
def column_repeating_group(snapshot: Snapshot) -> Iterator[Breach]:
    """Find three or more columns of one type whose names differ only by consecutive numbers.

    Why: every query has to name all of the columns, and one more value needs a migration
    Fix: move the values to a table with a foreign key to this one, or to an array
    """
    for table in snapshot.roots:
        groups: dict[tuple[str, str], dict[int, Column]] = {}
        for column in table.columns:
            match = _NUMBERED.match(column.name)
            if match and match[1]:
                groups.setdefault((match[1], column.type), {})[int(match[2])] = column
        for (stem, kind), numbered in groups.items():
            first = next((n for n in sorted(numbered) if {n, n + 1, n + 2} <= numbered.keys()), None)
            if first is not None:
                names = ", ".join(column.name for _, column in sorted(numbered.items()))
                yield Breach(
                    f"{table.qualified}.{numbered[first].name}",
                    f"{names} repeat one {kind}",
                    fix(
                        op("create_table", f"{table.name}_{stem}", "...", schema=table.schema)
                        + "; copy; "
                        + op("drop_column", table.name, numbered[first].name, schema=table.schema),
                        f"another model with a ForeignKey to {table.name}",
                    ),
                )


@rule("column-should-be-citext", "warning", "Login names are unique regardless of case")
def column_should_be_citext(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """Find login names of type text or varchar with a unique index, but with none on lower() of the column.

    Why: Ann@example.org and ann@example.org become two accounts, and a user who types the other spelling cannot sign in
    Fix: use citext, or a unique index on lower() of the column
    """
    for table in snapshot.roots:
        for column in table.columns:
            if column.base not in ("text", "varchar") or column.array or not has_word(column.name, options.login_words):
                continue
            plain = next((index for index in table.indexes if index.unique and column.number in index.columns), None)
            if plain and column.collation in (None, '"C"', '"POSIX"') and not _lowered(table, column):
                yield Breach(
                    f"{table.qualified}.{column.name}",
                    f"{column.type}, unique with case by {plain.name}",
                    alter_type(table, column.name, "postgresql.CITEXT()"),
                )


def _lowered(table: Table, column: Column) -> Index | None:
    """A unique index on lower() of the column."""
    wanted = re.compile(rf"lower\(+{re.escape(identifier(column.name))}\b")
    return next(
        (i for i in table.indexes if i.unique and i.valid and any(wanted.search(key.text) for key in i.keys)), None
    )


_CONSTANT = re.compile(r"^'([^']*)'::(?:timestamp|date)")
_MEANT = ("infinity", "-infinity", "1970-01-01", "1970-01-01 00:00:00", "1970-01-01 00:00:00+00")


@rule("default-frozen-timestamp", "error", "A default timestamp is computed for each insert")
def default_frozen_timestamp(snapshot: Snapshot) -> Iterator[Breach]:
    """Find timestamp and date columns whose default is a constant other than infinity or the epoch.

    Why: the default was evaluated once, when the migration ran, so every row gets the same moment
    Fix: DEFAULT now()
    """
    for table in snapshot.roots:
        for column in table.columns:
            match = _CONSTANT.match(column.default or "") if not column.generated else None
            if match and column.base in ("timestamp", "timestamptz", "date") and match[1] not in _MEANT:
                yield Breach(
                    f"{table.qualified}.{column.name}",
                    f"DEFAULT {column.default}",
                    fix(
                        execute(
                            f"ALTER TABLE {qualified(table)} ALTER COLUMN {identifier(column.name)} SET DEFAULT now()"
                        ),
                        argument(column.name, "server_default=func.now()"),
                    ),
                )


@rule("column-type-inconsistent", "warning", "Columns of the same name have the same type", optional=True)
def column_type_inconsistent(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns whose type is not the most common type of columns of that name.

    Why: joins and unions on the columns need casts, and readers expect the type that the other tables have
    Fix: use the type that most tables have for this name
    """
    kinds: dict[str, Counter[str]] = {}
    for table in snapshot.roots:
        for column in table.columns:
            kinds.setdefault(column.name, Counter())[column.type] += 1
    for table in snapshot.roots:
        for column in table.columns:
            usual, places = max(kinds[column.name].items(), key=lambda item: (item[1], item[0]))
            if column.type != usual:
                yield Breach(
                    f"{table.qualified}.{column.name}",
                    f"{column.type} here, {usual} in {plural(places, 'other place')}",
                    fix(
                        execute(f"ALTER TABLE {qualified(table)} ALTER COLUMN {identifier(column.name)} TYPE {usual}"),
                        f"{column.name}: the type of {usual}",
                    ),
                )


@rule("enum-instead-of-check", "warning", "A list of values is a text column with a CHECK", optional=True)
def enum_instead_of_check(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns of an enum type.

    Why: a value of an enum type can be added but never removed, and its position cannot be changed
    Fix: use text with CHECK (column IN (...)), which one migration can change
    """
    enums = {item.oid: item for item in snapshot.types if item.kind == "e"}
    for table in snapshot.roots:
        for column in table.columns:
            if column.base_oid in enums:
                name, labels = identifier(column.name), ", ".join(map(literal, enums[column.base_oid].labels))
                kind, condition = "text", f"{name} IN ({labels})"
                if column.array:
                    kind, condition = "text[]", f"{name} <@ ARRAY[{labels}]"
                yield Breach(
                    f"{table.qualified}.{column.name}",
                    f"an enum: {labels}",
                    fix(
                        execute(f"ALTER TABLE {qualified(table)} ALTER COLUMN {name} TYPE {kind} USING {name}::{kind}")
                        + "\n"
                        + op(
                            "create_check_constraint", f"ck_{table.name}_{column.name}", table.name, condition,
                            schema=table.schema,
                        ),
                        argument(column.name, "Enum(..., native_enum=False, create_constraint=True)"),
                    ),
                )  # fmt: skip


@rule("primary-key-uuid-random", "warning", "A generated uuid key increases over time", optional=True)
def primary_key_uuid_random(snapshot: Snapshot) -> Iterator[Breach]:
    """Find uuid primary keys whose default is random.

    Why: random keys go to random pages of the index: inserts touch all of it, and it no longer fits into the cache
    Fix: use uuidv7() (PostgreSQL 18), or a bigint identity and a uuid column for other systems
    """
    for table in snapshot.roots:
        for number in table.primary_key.columns if table.primary_key else ():
            column = table.by_number[number]
            default = column.default or ""
            seven = Code('sa.text("uuidv7()")' if snapshot.major >= 18 else "...")
            if column.base == "uuid" and ("gen_random_uuid()" in default or "uuid_generate_v4()" in default):
                yield Breach(
                    f"{table.qualified}.{column.name}",
                    f"DEFAULT {default}",
                    fix(
                        op("alter_column", table.name, column.name, schema=table.schema, server_default=seven),
                        argument(column.name, 'server_default=text("uuidv7()")'),
                    ),
                )
