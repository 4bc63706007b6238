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


@rule(
    "column-timestamp-without-time-zone",
    "error",
    "A moment is a timestamptz",
    why="the value means another moment in each session's TimeZone, and comparisons with now() cast silently",
    fix="timestamptz",
)
def column_timestamp_without_time_zone(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns of type timestamp without time zone."""
    yield from _columns(
        snapshot, lambda column: column.base == "timestamp", "sa.DateTime(timezone=True)", "{} AT TIME ZONE 'UTC'"
    )


@rule(
    "column-timetz",
    "error",
    "No column is a time with time zone",
    why="an offset without a date cannot follow daylight saving time, so the value is wrong for half of the year",
    fix="use timestamptz for moments, and time for times of day",
)
def column_timetz(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns of type time with time zone."""
    yield from _columns(snapshot, lambda column: column.base == "timetz", "sa.Time()")


@rule(
    "column-timestamp-rounded",
    "warning",
    "Timestamps are stored with full precision",
    why="precision 0 rounds up to half a second into the future, so a row may seem newer than now()",
    fix="no precision; use date_trunc when reading",
)
def column_timestamp_rounded(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns of type timestamp(0) and timestamptz(0)."""
    yield from _columns(
        snapshot,
        lambda column: column.base in ("timestamp", "timestamptz") and column.modifier == 0,
        "sa.DateTime(timezone=True)",
    )


@rule(
    "column-money",
    "error",
    "An amount of money is a numeric",
    why="the type money has one currency and one scale, and both depend on a setting of the server",
    fix="use numeric, and a column for the currency",
)
def column_money(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns of type money."""
    yield from _columns(snapshot, lambda column: column.base == "money", "sa.Numeric(19, 4)", "{}::numeric")


@rule(
    "column-char-n",
    "error",
    "No column is a char(n)",
    why="char(n) pads with blanks, which count in some operators and not in others, and saves nothing",
    fix="use text, with a CHECK on the length where it matters",
)
def column_char_n(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns of type char(n)."""
    yield from _columns(snapshot, lambda column: column.base == "bpchar", "sa.Text()")


@rule(
    "column-varchar-n",
    "warning",
    "A text type has no length",
    why="raising the limit later needs an ACCESS EXCLUSIVE lock, and every view on the column has to be recreated",
    fix="use text with a CHECK, or set varchar-allowed if lengths belong in types",
)
def column_varchar_n(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """Find columns of type varchar(n), also behind a domain or in an array."""
    if not options.varchar_allowed:
        yield from _columns(snapshot, lambda column: column.base == "varchar" and column.modifier > 0, "sa.Text()")


@rule(
    "column-json",
    "error",
    "A JSON column is jsonb",
    why="json is stored as text: it has no equality, so DISTINCT and GROUP BY fail, no index, and each access parses "
    "it again",
    fix="jsonb",
)
def column_json(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns of type json."""
    yield from _columns(snapshot, lambda column: column.base == "json", "postgresql.JSONB()", "{}::jsonb")


@rule(
    "column-large-object",
    "warning",
    "No column refers to a large object",
    why="the row holds only a number: deleting it leaves the object, and logical replication does not copy it",
    fix="use bytea, or a file store",
)
def column_large_object(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns of type oid, and of the domain lo."""
    yield from _columns(snapshot, lambda column: column.base in ("oid", "lo"), "sa.LargeBinary()", "lo_get({})")


@rule(
    "column-money-as-float",
    "warning",
    "An amount of money is not a float",
    why="binary fractions cannot represent 0.10, so sums drift and comparisons fail",
    fix="numeric",
)
def column_money_as_float(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """Find real and double precision columns whose names mention money."""
    yield from _columns(
        snapshot,
        lambda column: column.base in ("float4", "float8") and has_word(column.name, options.money_words),
        "sa.Numeric(19, 4)",
    )
