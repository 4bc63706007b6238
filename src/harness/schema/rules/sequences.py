"""Sequences."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog import Column, Sequence, Snapshot, Table
from harness.rules import Breach, rule
from harness.schema.alembic_code import argument, fix
from harness.sql.operations import execute
from harness.sql.quoting import identifier, literal, qualified

WIDTHS = {"int2": "smallint", "int4": "integer", "int8": "bigint"}


def _fed(snapshot: Snapshot) -> Iterator[tuple[Table, Column, Sequence]]:
    """Columns of root tables with the sequence that their default calls, or that their identity has."""
    for sequence in snapshot.sequences:
        own = {(sequence.owner_table, sequence.owner_column)} if sequence.identity else set()
        for oid, number in sorted({*sequence.users, *own}):
            table = snapshot.by_oid.get(oid)
            if table and not table.partition and number in table.by_number:
                yield table, table.by_number[number], sequence


@rule("column-serial", "warning", "A generated number is an identity column")
def column_serial(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns whose default is a sequence that the column owns.

    Why: the sequence of a serial column has its own owner and privileges, and an INSERT can override the number by
        accident
    Fix: GENERATED ALWAYS AS IDENTITY
    """
    for table, column, sequence in _fed(snapshot):
        owned = (sequence.owner_table, sequence.owner_column) == (table.oid, column.number)
        if owned and not sequence.identity and WIDTHS.get(column.base) == sequence.type:
            name, target = identifier(column.name), qualified(table)
            sequence_of = f"pg_get_serial_sequence({literal(target)}, {literal(column.name)})"
            following = f"SELECT setval({sequence_of}, coalesce(max({name}), 0) + 1, false)"
            statements = (
                f"ALTER TABLE {target} ALTER COLUMN {name} DROP DEFAULT",
                f"DROP SEQUENCE {qualified(sequence)}",
                f"ALTER TABLE {target} ALTER COLUMN {name} ADD GENERATED ALWAYS AS IDENTITY",
                f"{following} FROM {target}",
            )
            yield Breach(
                f"{table.qualified}.{column.name}",
                f"DEFAULT {column.default}, a serial",
                fix(
                    "\n".join(map(execute, statements)),
                    argument(column.name, "Identity(always=True)"),
                ),
            )


@rule("sequence-type-mismatch", "error", "A sequence has the type of its column")
def sequence_type_mismatch(snapshot: Snapshot) -> Iterator[Breach]:
    """Find sequences whose type is not that of the integer column that uses them.

    Why: a bigint column with an integer sequence still stops at 2147483647; a bigint sequence overflows an integer
        column
    Fix: ALTER SEQUENCE ... AS the type of the column
    """
    for table, column, sequence in _fed(snapshot):
        if column.base in WIDTHS and WIDTHS[column.base] != sequence.type:
            yield Breach(
                f"{table.qualified}.{column.name}",
                f"the column is {WIDTHS[column.base]}, its sequence {sequence.qualified} is {sequence.type}",
                fix(
                    execute(f"ALTER SEQUENCE {qualified(sequence)} AS {WIDTHS[column.base]}"),
                    f"Sequence(..., data_type={'BigInteger' if column.base == 'int8' else 'Integer'})",
                ),
            )


@rule("sequence-unowned", "warning", "A sequence is owned by the column that uses it")
def sequence_unowned(snapshot: Snapshot) -> Iterator[Breach]:
    """Find defaults that use a sequence which no column owns.

    Why: dropping the column leaves the sequence behind, and TRUNCATE ... RESTART IDENTITY does not reset it
    Fix: ALTER SEQUENCE ... OWNED BY, or an identity column
    """
    for table, column, sequence in _fed(snapshot):
        if not sequence.owner_table:
            owner = identifier(table.schema, table.name, column.name)
            yield Breach(
                f"{table.qualified}.{column.name}",
                f"DEFAULT {column.default}, and no column owns {sequence.qualified}",
                fix(
                    execute(f"ALTER SEQUENCE {qualified(sequence)} OWNED BY {owner}"),
                    argument(column.name, "Identity(always=True)"),
                ),
            )
