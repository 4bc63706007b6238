"""Column types to avoid."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from harness.catalog import Column, Snapshot
from harness.rules import Breach, rule
from harness.schema.alembic_code import alter_type
from harness.schema.options import Options, has_word
from harness.sql.quoting import identifier


def _columns(snapshot: Snapshot, wrong: Callable[[Column], bool], kind: str, using: str = "") -> Iterator[Breach]:
    """A place for every column that is `wrong`, mended by the type `kind`; `{}` in `using` is the column."""
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
    "A point in time knows its zone",
    why="the value means another moment for each session's TimeZone, and comparisons with now() cast silently",
    fix="timestamptz",
)
def column_timestamp_without_time_zone(snapshot: Snapshot) -> Iterator[Breach]:
    """Timestamp without time zone."""
    yield from _columns(
        snapshot, lambda column: column.base == "timestamp", "sa.DateTime(timezone=True)", "{} AT TIME ZONE 'UTC'"
    )


@rule(
    "column-timetz",
    "error",
    "No time of day with a zone",
    why="an offset without a date cannot follow daylight saving time, so the value is wrong half the year",
    fix="timestamptz for moments, time for times of day",
)
def column_timetz(snapshot: Snapshot) -> Iterator[Breach]:
    """Time with time zone."""
    yield from _columns(snapshot, lambda column: column.base == "timetz", "sa.Time()")


@rule(
    "column-timestamp-rounded",
    "warning",
    "Times are stored as they are",
    why="precision 0 rounds up to half a second into the future, so a row may seem newer than now()",
    fix="no precision; date_trunc when reading",
)
def column_timestamp_rounded(snapshot: Snapshot) -> Iterator[Breach]:
    """timestamp(0) and timestamptz(0)."""
    yield from _columns(
        snapshot,
        lambda column: column.base in ("timestamp", "timestamptz") and column.modifier == 0,
        "sa.DateTime(timezone=True)",
    )


@rule(
    "column-money",
    "error",
    "Money is numeric",
    why="the money type has one currency and one scale, both taken from a setting of the server",
    fix="numeric, with the currency in a column of its own",
)
def column_money(snapshot: Snapshot) -> Iterator[Breach]:
    """Money."""
    yield from _columns(snapshot, lambda column: column.base == "money", "sa.Numeric(19, 4)", "{}::numeric")


@rule(
    "column-char-n",
    "error",
    "No blank-padded text",
    why="char(n) pads with blanks that count in some operators and not in others, and saves nothing",
    fix="text, with a CHECK on the length where it matters",
)
def column_char_n(snapshot: Snapshot) -> Iterator[Breach]:
    """bpchar, with or without a length."""
    yield from _columns(snapshot, lambda column: column.base == "bpchar", "sa.Text()")


@rule(
    "column-varchar-n",
    "warning",
    "Text has no length in its type",
    why="the limit is a guess that somebody raises later, under an exclusive lock and through every view",
    fix="text with a CHECK, or set varchar-allowed where lengths are wanted in types",
)
def column_varchar_n(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """Varchar with a length, also behind a domain or in an array."""
    if not options.varchar_allowed:
        yield from _columns(snapshot, lambda column: column.base == "varchar" and column.modifier > 0, "sa.Text()")


@rule(
    "column-json",
    "error",
    "JSON is jsonb",
    why="json keeps text: no equality, so DISTINCT and GROUP BY fail, no index, and each access parses again",
    fix="jsonb",
)
def column_json(snapshot: Snapshot) -> Iterator[Breach]:
    """Json."""
    yield from _columns(snapshot, lambda column: column.base == "json", "postgresql.JSONB()", "{}::jsonb")


@rule(
    "column-large-object",
    "warning",
    "No large objects",
    why="the row holds only a number: deleting it leaves the object, and logical replication does not carry it",
    fix="bytea, or a store for files",
)
def column_large_object(snapshot: Snapshot) -> Iterator[Breach]:
    """oid, and the domain lo over it."""
    yield from _columns(snapshot, lambda column: column.base in ("oid", "lo"), "sa.LargeBinary()", "lo_get({})")


@rule(
    "column-money-as-float",
    "warning",
    "Money is exact",
    why="binary fractions cannot hold 0.10, so sums drift and comparisons fail",
    fix="numeric",
)
def column_money_as_float(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """Real or double precision in a column whose name speaks of money."""
    yield from _columns(
        snapshot,
        lambda column: column.base in ("float4", "float8") and has_word(column.name, options.money_words),
        "sa.Numeric(19, 4)",
    )
