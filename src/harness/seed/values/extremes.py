"""The extreme values of a type, as texts."""

from __future__ import annotations

from harness.seed.values.column_types import ColumnType
from harness.seed.values.numbers import WHOLE, scale_of
from harness.seed.values.texts import TEXTS, room

LONG = 1000
"""Characters of a long text in an unbounded column; a B-tree index refuses more than about 2700 bytes."""

MOMENTS = ("-infinity", "infinity", "1900-02-28 23:59:59.999999", "9999-12-31 23:59:59")
KNOWN: dict[str, tuple[str, ...]] = {
    "date": ("-infinity", "infinity", "1900-02-28", "9999-12-31"),
    "timestamp": MOMENTS,
    "timestamptz": MOMENTS,
    "time": ("00:00:00", "24:00:00"),
    "timetz": ("00:00:00+14", "24:00:00-12"),
    "interval": ("00:00:00", "-178000000 years", "178000000 years"),
    "float4": ("NaN", "Infinity", "-Infinity", "0"),
    "float8": ("NaN", "Infinity", "-Infinity", "0"),
    "json": ("null", "{}", "[]", '"text"', "0"),
    "jsonb": ("null", "{}", "[]", '"text"', "0"),
    "bytea": ("\\x", "\\x00ff"),
    "uuid": ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    "bool": ("true", "false"),
    "inet": ("0.0.0.0/0", "::1"),
    "hstore": ("",),
}


def extremes_of(kind: ColumnType) -> tuple[str, ...]:
    """Return the least, the greatest and the empty values."""
    if kind.array:
        return ("{}", "{NULL}")
    if kind.type and kind.type.kind == "e":
        return (kind.type.labels[0], kind.type.labels[-1]) if kind.type.labels else ()
    if kind.base.endswith("multirange"):
        return ("{}", "{(,)}")
    if kind.base.endswith("range") or (kind.type and kind.type.kind == "r"):
        return ("empty", "(,)")
    if kind.base in TEXTS:
        return _texts(kind)
    if kind.base in WHOLE or kind.base == "numeric":
        scale = scale_of(kind)
        more = ("NaN",) if kind.base == "numeric" and not kind.sizes else ()
        return (scale.text(scale.low), scale.text(scale.high), "0", *more)
    return KNOWN.get("interval" if kind.base.startswith("interval") else kind.base, ())


def _texts(kind: ColumnType) -> tuple[str, ...]:
    """Return texts: empty, blank, of full length, and with characters that break naive code."""
    most = room(kind)
    long = "W" * (LONG if most is None else min(most, LONG))
    odd = "'; -- \\ % \u00e9\u00df\u4e2d \U0001f600 \t\""
    return ("", " ", long, odd if most is None else odd[:most])
