"""The generators of one column: by its type, its name and its conditions, the most believable first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from harness.seed.values.column_types import ColumnType, ColumnTypes
from harness.seed.values.generators import Generator, constant, one_of
from harness.seed.values.hints import Hints
from harness.seed.values.numbers import WHOLE, quantities
from harness.seed.values.other_types import ENTITIES, objects, scalars
from harness.seed.values.temporal import TIMES, clocks, dates, moments, spans
from harness.seed.values.texts import TEXTS, texts

RANGES = {
    "int4range": "int4",
    "int8range": "int8",
    "numrange": "numeric",
    "daterange": "date",
    "tsrange": "timestamp",
    "tstzrange": "timestamptz",
}
NUMBERS = {*WHOLE, "numeric", "float4", "float8", "money"}


def generators_of(kinds: ColumnTypes, kind: ColumnType, table: str, column: str, hints: Hints) -> Iterator[Generator]:
    """Yield generators whose texts the type can read; without NULL."""
    if kind.array:
        yield from _arrays(kinds, kind, table, column, hints)
    elif kind.type and kind.type.kind == "e":
        yield from _labels(kind, hints)
    elif kind.type and kind.type.kind == "c":
        yield from _composites(kinds, kind, table, hints)
    elif kind.base in RANGES or kind.base.replace("multi", "") in RANGES or kind.type:
        yield from _ranges(kinds, kind, table, hints)
    elif kind.base in NUMBERS:
        yield from quantities(kind, hints)
    elif kind.base in ("timestamp", "timestamptz"):
        yield from moments(kind, column, hints)
    elif kind.base == "date":
        yield from dates(column, hints)
    elif kind.base in ("time", "timetz"):
        yield from clocks(kind, column, hints)
    elif kind.base.startswith("interval"):
        yield from spans(hints)
    elif kind.base in TEXTS:
        yield from texts(kind, table, column, hints)
    else:
        yield from scalars(kind)
        if kind.base in ("json", "jsonb") and hints.strings:
            yield from objects(hints.strings)
        yield from (constant(text) for text in hints.strings if kind.base not in ("bool", "uuid"))


def known(kind: ColumnType) -> bool:
    """Return whether texts of the type are known, not guessed."""
    plain = {*RANGES, *NUMBERS, *TEXTS, *ENTITIES, *TIMES, "bit", "varbit"}
    base = kind.base.replace("multirange", "range")
    return base != "xml" and (bool(kind.type) or base in plain or base.startswith(("interval", "vector")))


def _labels(kind: ColumnType, hints: Hints) -> Iterator[Generator]:
    """Yield the labels of an enum in turn, those that the condition names, and each alone."""
    labels = kind.type.labels if kind.type else ()
    if not labels:
        return
    yield one_of("labels", labels)
    if named := [label for label in labels if label in hints.strings]:
        yield one_of("labels of the condition", named)
    if others := [label for label in labels if label not in hints.strings]:
        yield one_of("labels that the condition does not name", others)
    yield from (constant(label) for label in labels)


def _arrays(kinds: ColumnTypes, kind: ColumnType, table: str, column: str, hints: Hints) -> Iterator[Generator]:
    """Yield arrays of two elements, of the lengths that the condition names, of one, and empty."""
    elements = list(islice(generators_of(kinds, kind.element, table, column, hints), 12))
    sizes = [
        2,
        *(size for size in hints.counts if 0 < size <= 100),
        *(size + 1 for size in hints.counts if size < 100),
        1,
        3,
    ]
    for size in dict.fromkeys(sizes):
        for element in elements:
            yield _array(element, size, ";" if kind.base == "box" else ",")
    yield constant("{}")


def _array(element: Generator, size: int, delimiter: str) -> Generator:
    """Return arrays of `size` consecutive elements."""

    def make(index: int) -> str:
        parts = (element.at(index + place).replace("\\", "\\\\").replace('"', '\\"') for place in range(size))
        return "{" + delimiter.join(f'"{part}"' for part in parts) + "}"

    return Generator(f"{size} of {element.name}", make, element.capacity)


def _composites(kinds: ColumnTypes, kind: ColumnType, table: str, hints: Hints) -> Iterator[Generator]:
    """Yield rows of a composite type, each attribute by its own first generator."""
    if kind.type is None:
        return
    parts = [next(generators_of(kinds, held, table, name, hints)) for name, held in kinds.attributes(kind.type)]

    def make(index: int) -> str:
        texts = (part.at(index).replace("\\", "\\\\").replace('"', '""') for part in parts)
        return "(" + ",".join(f'"{text}"' for text in texts) + ")"

    yield Generator("rows", make, max((part.capacity for part in parts), default=1))


def _ranges(kinds: ColumnTypes, kind: ColumnType, table: str, hints: Hints) -> Iterator[Generator]:
    """Yield ranges that do not overlap, around constants, unbounded, and empty."""
    multiple = "multirange" in kind.base
    subtype = RANGES.get(kind.base.replace("multi", ""))
    held = ColumnType(subtype, subtype) if subtype else kinds.of(kind.type.definition if kind.type else "integer")
    for name, low, high in _bounds(kinds, held, table, hints):
        yield _range(name, low, high, multiple=multiple)
        if not multiple:
            yield Generator(f"{name}, without end", lambda index, low=low: f"[{low.at(index)},)", low.capacity)  # type: ignore[misc]  # mypy cannot type a default in a lambda
    yield constant("{}" if multiple else "empty")
    yield constant("{(,)}" if multiple else "(,)")


def _bounds(
    kinds: ColumnTypes, held: ColumnType, table: str, hints: Hints
) -> Iterator[tuple[str, Generator, Generator]]:
    """Yield lower and upper bounds of ranges that do not overlap."""
    if held.base in NUMBERS:
        for mark in (0, *hints.counts):
            yield (
                f"tens from {mark}",
                Generator("low", lambda i, mark=mark: str(mark + i * 10)),  # type: ignore[misc]  # mypy cannot type a default in a lambda
                Generator("high", lambda i, mark=mark: str(mark + i * 10 + 5)),  # type: ignore[misc]  # as above
            )
        return
    lows = list(generators_of(kinds, held, table, "starts", hints))
    high = next(generators_of(kinds, held, table, "ends", hints))
    if held.base not in TIMES:
        single = next((low for low in lows if re.search("signs|letters and digits", low.name)), lows[0])
        yield "single values", single, single
        return
    yield "slots", lows[0], high
    for low in lows[1:8]:
        if low.name.startswith("from"):
            last = low.capacity // 2
            yield (
                low.name,
                Generator("low", lambda i, low=low: low.at(2 * i), max(last, 1)),  # type: ignore[misc]  # mypy cannot type a default in a lambda
                Generator("high", lambda i, low=low: low.at(2 * i + 1), max(last, 1)),  # type: ignore[misc]  # as above
            )


def _range(name: str, low: Generator, high: Generator, *, multiple: bool) -> Generator:
    """Return `[low,high)`, or its multirange; for equal bounds `[low,high]`."""
    last = "]" if low is high else ")"
    left, right = ("{", "}") if multiple else ("", "")
    capacity = min(low.capacity, high.capacity)
    return Generator(name, lambda index: f'{left}["{low.at(index)}","{high.at(index)}"{last}{right}', capacity)
