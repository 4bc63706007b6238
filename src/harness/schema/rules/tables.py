"""Tables and primary keys."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog import Snapshot, Table
from harness.rules import Breach, rule
from harness.schema.alembic_code import NUMBERED, alter_type, fix
from harness.sql.operations import execute, op
from harness.sql.quoting import identifier, qualified

SMALL_INTEGERS = ("int2", "int4")


@rule("table-without-primary-key", "error", "Every table has a primary key")
def table_without_primary_key(snapshot: Snapshot) -> Iterator[Breach]:
    """Find tables, partitioned or not, without a primary key.

    Why: rows cannot be distinguished, so they cannot be referenced, updated one by one or replicated logically
    Fix: add a primary key; a unique constraint on NOT NULL columns does not replace it
    """
    for table in snapshot.roots:
        if not table.primary_key:
            unique = next((index for index in table.indexes if index.unique and index.total), None)
            near = f"; unique {unique.name} does not count" if unique else ""
            new = ["id", "..."] if table.kind == "p" else ["id"]
            columns = list(table.names(unique.columns)) if unique else new
            steps = [op("create_primary_key", f"pk_{table.name}", table.name, columns, schema=table.schema)]
            if not unique and "id" not in table.by_name:
                steps.insert(0, op("add_column", table.name, NUMBERED, schema=table.schema))
            yield Breach(
                table.qualified,
                f"the table has no primary key{near}",
                fix("\n".join(steps), f"primary_key=True on {', '.join(columns)}"),
            )


@rule("primary-key-too-small", "error", "A generated primary key is a bigint")
def primary_key_too_small(snapshot: Snapshot) -> Iterator[Breach]:
    """Find smallint and integer primary keys that an identity or a sequence generates.

    Why: a 32-bit counter ends at 2147483647; then every insert fails, and a wider type rewrites the table
    Fix: make the column, and the columns that reference it, bigint
    """
    fed = {user for sequence in snapshot.sequences for user in sequence.users}
    for table in snapshot.roots:
        key = table.primary_key
        if key is None or len(key.columns) != 1:
            continue
        column = table.by_number[key.columns[0]]
        counted = column.identity or (table.oid, column.number) in fed or "nextval(" in (column.default or "")
        if counted and column.base in SMALL_INTEGERS and not column.array:
            yield Breach(
                f"{table.qualified}.{column.name}",
                f"the generated primary key is {column.type}",
                alter_type(table, column.name, "sa.BigInteger()"),
            )


@rule("join-table-pair-not-unique", "error", "A join table holds each pair once")
def join_table_pair_not_unique(snapshot: Snapshot) -> Iterator[Breach]:
    """Find tables of a generated key and two foreign keys, without a unique key on the pair.

    Why: the same pair can be stored twice, and every join over the table returns duplicates
    Fix: make the pair the primary key, or add a unique constraint on it
    """
    for table in snapshot.roots:
        key, references = table.primary_key, table.foreign_keys
        if key is None or len(references) != 2 or len(key.columns) != 1:
            continue
        pair = references[0].columns + tuple(n for n in references[1].columns if n not in references[0].columns)
        surrogate = key.columns[0]
        if surrogate in pair or {surrogate, *pair} != set(table.by_number):
            continue
        if not any(index.unique and index.total and set(index.columns) <= set(pair) for index in table.indexes):
            names = list(table.names(pair))
            yield Breach(
                table.qualified,
                f"the key {table.by_number[surrogate].name} lets a pair ({', '.join(names)}) occur more than once",
                fix(
                    op("create_unique_constraint", f"uq_{table.name}_pair", table.name, names, schema=table.schema),
                    f"UniqueConstraint({', '.join(map(repr, names))}) in __table_args__",
                ),
            )


@rule("table-single-column", "warning", "A table has more than one column")
def table_single_column(snapshot: Snapshot) -> Iterator[Breach]:
    """Find tables with one column, unless it is a primary key that a foreign key references.

    Why: a table with one column is of little use, unless others refer to it as a list of allowed values
    Fix: add the missing columns, or drop it
    """
    for table in snapshot.roots:
        if len(table.columns) <= 1 and not (table.primary_key and table.oid in snapshot.referrers):
            names = ", ".join(column.name for column in table.columns) or "none"
            yield Breach(
                table.qualified,
                f"its columns: {names}; no foreign key points at it",
                fix(op("drop_table", table.name, schema=table.schema)),
            )


@rule("table-all-nullable", "warning", "Some column other than the key is NOT NULL")
def table_all_nullable(snapshot: Snapshot) -> Iterator[Breach]:
    """Find tables with two or more columns besides the primary key, all of them nullable.

    Why: a row with only a key is accepted, so every reader must expect each value to be missing
    Fix: make the columns NOT NULL that every row needs
    """
    for table in snapshot.roots:
        key = table.primary_key.columns if table.primary_key else ()
        others = [column for column in table.columns if column.number not in key]
        if len(others) >= 2 and not any(column.not_null for column in others):
            names = ", ".join(column.name for column in others)
            yield Breach(
                table.qualified,
                f"all of {names} may be null",
                fix(
                    op("alter_column", table.name, others[0].name, schema=table.schema, nullable=False),
                    f"{others[0].name}: Mapped[...] without None",
                ),
            )


@rule("table-split-one-to-one", "warning", "One entity is one table")
def table_split_one_to_one(snapshot: Snapshot) -> Iterator[Breach]:
    """Find unreferenced tables that share another table's primary key by a foreign key, if no third table does.

    Why: every query joins two tables to read one row, and nothing else refers to the second table
    Fix: move the columns to the first table
    """
    children: dict[int, list[Table]] = {}
    for table in snapshot.roots:
        if target := _extended(snapshot, table):
            children.setdefault(target.oid, []).append(table)
    for oid, tables in children.items():
        if len(tables) == 1 and tables[0].oid not in snapshot.referrers:
            table, target = tables[0], snapshot.by_oid[oid]
            key = set(table.primary_key.columns) if table.primary_key else set()
            moved = [column.name for column in table.columns if column.number not in key]
            yield Breach(
                table.qualified,
                f"its primary key is that of {target.qualified}, nothing refers to it, and {target.name} has no "
                "second such child",
                fix(
                    f"{op('add_column', target.name, '...', schema=target.schema)} for {', '.join(moved) or 'nothing'},"
                    f" copy, then {op('drop_table', table.name, schema=table.schema)}",
                    f"columns {', '.join(moved)} in the model of {target.name}",
                ),
            )


def _extended(snapshot: Snapshot, table: Table) -> Table | None:
    """The table whose primary key this table's primary key refers to."""
    for key in table.foreign_keys:
        target = snapshot.by_oid.get(key.target)
        if (
            target
            and target is not table
            and table.primary_key
            and target.primary_key
            and set(key.columns) == set(table.primary_key.columns)
            and set(key.referenced) == set(target.primary_key.columns)
        ):
            return target
    return None


@rule("table-unlogged", "error", "Every table is logged")
def table_unlogged(snapshot: Snapshot) -> Iterator[Breach]:
    """Find unlogged tables.

    Why: an unlogged table is emptied by a crash, and is empty on every replica
    Fix: ALTER TABLE ... SET LOGGED (which rewrites the table), or keep such data elsewhere
    """
    for table in snapshot.roots:
        if table.persistence == "u":
            yield Breach(
                table.qualified,
                "the table is UNLOGGED",
                fix(
                    execute(f"ALTER TABLE {qualified(table)} SET LOGGED"), 'remove prefixes=["UNLOGGED"] from the table'
                ),
            )


@rule("table-inheritance", "error", "Tables do not inherit")
def table_inheritance(snapshot: Snapshot) -> Iterator[Breach]:
    """Find tables that inherit from another table and are not its partitions.

    Why: unique and foreign keys do not cover inheriting tables, so queries on the parent return rows that violate them
    Fix: use partitions, a column that tells the kinds apart, or a foreign key to the parent
    """
    for table in snapshot.roots:
        if table.parents:
            parents = [snapshot.by_oid[oid] for oid in table.parents if oid in snapshot.by_oid]
            first = qualified(parents[0]) if parents else "its parent"
            yield Breach(
                table.qualified,
                f"inherits from {', '.join(parent.qualified for parent in parents) or 'a table out of scope'}",
                fix(execute(f"ALTER TABLE {qualified(table)} NO INHERIT {first}")),
            )


@rule("table-has-rule", "warning", "No rule rewrites the statements on a table")
def table_has_rule(snapshot: Snapshot) -> Iterator[Breach]:
    """Find tables with a rewrite rule.

    Why: a rule changes the statement: volatile functions may run twice, and RETURNING and row counts are wrong
    Fix: use a trigger, or write to the other table explicitly
    """
    for table in snapshot.roots:
        for rewrite in table.rules:
            yield Breach(
                f"{table.qualified}.{rewrite.name}",
                " ".join(rewrite.definition.split()),
                fix(execute(f"DROP RULE {identifier(rewrite.name)} ON {qualified(table)}")),
            )


@rule("polymorphic-reference", "warning", "A reference refers to one table")
def polymorphic_reference(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns x_type and x_id where x_id is in no foreign key.

    Why: a pair of type and id cannot be a foreign key, so Postgres does not prevent references to missing rows
    Fix: use one nullable foreign key for each kind, with a CHECK that exactly one is set
    """
    for table in snapshot.roots:
        referencing = {number for key in table.foreign_keys for number in key.columns}
        for column in table.columns:
            stem = column.name.removesuffix("_id")
            if not stem or stem == column.name or f"{stem}_type" not in table.by_name:
                continue
            if column.number not in referencing:
                create = op("create_foreign_key", "...", table.name, "...", ["..._id"], ["id"])
                yield Breach(
                    f"{table.qualified}.{column.name}",
                    f"{stem}_type says which table {column.name} points into; no foreign key holds it",
                    fix(
                        f"one op.add_column and {create} a kind, "
                        f"then {op('drop_column', table.name, column.name, schema=table.schema)}",
                        "one ForeignKey column a kind, CheckConstraint('num_nonnulls(...) = 1')",
                    ),
                )
