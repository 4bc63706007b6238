"""Column types."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from harness.catalog import Column, Snapshot
from harness.rules import Breach, rule
from harness.schema.alembic_code import alter_type
from harness.schema.options import Options, has_word
from harness.sql.quoting import identifier


def _columns(snapshot: Snapshot, wrong: Callable[[Column], bool], kind: str, using: str = "") -> Iterator[Breach]:
    """Yield a breach for every column that is `wrong`, repaired by the type `kind`; `{}` in `using` is the column."""
    for table in snapshot.roots:
        for column in table.columns:
            if wrong(column):
                through = f" through the domain {column.domain}" if column.domain else ""
                held = f"{column.base}{'[]' if column.array else ''}"
                new = f"postgresql.ARRAY({kind})" if column.array else kind
                how = "" if column.array else using.format(identifier(column.name))
                yield Breach(
                    f"{table.qualified}.{column.name}",
                    f"the type is {held if column.domain else column.type}{through}",
                    alter_type(table, column.name, new, how),
                )


@rule("column-timestamp-without-time-zone", "error", "A moment is a timestamptz")
def column_timestamp_without_time_zone(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns of type timestamp without time zone.

    Why: the value means a different moment in each session's TimeZone, and comparisons with now() cast silently
    Fix: timestamptz
    """
    yield from _columns(
        snapshot, lambda column: column.base == "timestamp", "sa.DateTime(timezone=True)", "{} AT TIME ZONE 'UTC'"
    )


@rule("column-timetz", "error", "No column is a time with time zone")
def column_timetz(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns of type time with time zone.

    Why: an offset without a date cannot follow daylight saving time, so the value is wrong for half of the year
    Fix: use timestamptz for moments, and time for times of day
    """
    yield from _columns(snapshot, lambda column: column.base == "timetz", "sa.Time()")


@rule("column-timestamp-rounded", "warning", "Timestamps are stored with full precision")
def column_timestamp_rounded(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns of type timestamp(0) and timestamptz(0).

    Why: precision 0 rounds up to half a second into the future, so a row may seem newer than now()
    Fix: no precision; use date_trunc when reading
    """
    yield from _columns(
        snapshot,
        lambda column: column.base in ("timestamp", "timestamptz") and column.modifier == 0,
        "sa.DateTime(timezone=True)",
    )


@rule("column-money", "error", "An amount of money is a numeric")
def column_money(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns of type money.

    Why: the type money has one currency and one scale, and both depend on a setting of the server
    Fix: use numeric, and a column for the currency
    """
    yield from _columns(snapshot, lambda column: column.base == "money", "sa.Numeric(19, 4)", "{}::numeric")


@rule("column-char-n", "error", "No column is a char(n)")
def column_char_n(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns of type char(n).

    Why: char(n) pads with blanks, which count in some operators and not in others, and saves nothing
    Fix: use text, with a CHECK on the length where it matters
    """
    yield from _columns(snapshot, lambda column: column.base == "bpchar", "sa.Text()")


@rule("column-varchar-n", "warning", "A text type has no length")
def column_varchar_n(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """Find columns of type varchar(n), also behind a domain or in an array.

    Why: raising the limit later needs an ACCESS EXCLUSIVE lock, and every view on the column has to be recreated
    Fix: use text with a CHECK, or set varchar-allowed if lengths belong in types
    """
    if not options.varchar_allowed:
        yield from _columns(snapshot, lambda column: column.base == "varchar" and column.modifier > 0, "sa.Text()")


@rule("column-json", "error", "A JSON column is jsonb")
def column_json(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns of type json.

    Why: json is stored as text: it has no equality, so DISTINCT, GROUP BY and indexes fail, and each access parses it
        again
    Fix: jsonb
    """
    yield from _columns(snapshot, lambda column: column.base == "json", "postgresql.JSONB()", "{}::jsonb")


@rule("column-large-object", "warning", "No column refers to a large object")
def column_large_object(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns of type oid, and of the domain lo.

    Why: the row holds only a number: deleting it leaves the object, and logical replication does not copy it
    Fix: use bytea, or a file store
    """
    yield from _columns(snapshot, lambda column: column.base in ("oid", "lo"), "sa.LargeBinary()", "lo_get({})")


@rule("column-money-as-float", "warning", "An amount of money is not a float")
def column_money_as_float(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """Find real and double precision columns whose names mention money.

    Why: binary fractions cannot represent 0.10, so sums drift and comparisons fail
    Fix: numeric
    """
    yield from _columns(
        snapshot,
        lambda column: column.base in ("float4", "float8") and has_word(column.name, options.money_words),
        "sa.Numeric(19, 4)",
    )
