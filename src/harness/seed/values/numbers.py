"""Generators of integers, decimals, floats and money."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise

from harness.seed.values.column_types import ColumnType
from harness.seed.values.generators import Generator, one_of
from harness.seed.values.hints import Hints

WHOLE = {"int2": 15, "int4": 31, "int8": 63, "oid": 32, "xid": 32, "xid8": 63, "cid": 32}
"""Integer types, with the bits of their largest value plus one."""

UNSIGNED = {"oid", "xid", "xid8", "cid"}
LOOSE = 10**15
"""The largest value used for types without a practical bound, in their smallest unit."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The values of a type as integer multiples of 10^-digits between `low` and `high`, both in that unit."""

    low: int
    high: int
    digits: int = 0

    def text(self, units: int) -> str:
        """Return a value as the server reads it."""
        if self.digits <= 0:
            return str(units * 10**-self.digits)
        whole, part = divmod(abs(units), 10**self.digits)
        return f"{'-' if units < 0 else ''}{whole}.{part:0{self.digits}d}"

    def units(self, number: Decimal) -> int:
        """Return a constant in this unit, rounded down."""
        return int(number.scaleb(self.digits).to_integral_value(ROUND_FLOOR))

    def line(self, name: str, start: int, step: int = 1, last: int | None = None) -> list[Generator]:
        """Return a generator of `start`, `start + step`, … up to `last` or the bound; none if `start` is outside."""
        end = (self.high if step > 0 else self.low) if last is None else last
        capacity = (end - start) // step + 1
        if not self.low <= start <= self.high or capacity < 1:
            return []
        text: Callable[[int], str] = self.text if self.digits else str
        return [Generator(name, lambda index: text(start + step * index), capacity)]


def scale_of(kind: ColumnType) -> Scale:
    """Return the scale of a numeric type."""
    if kind.base in WHOLE:
        high = (1 << WHOLE[kind.base]) - 1
        return Scale(0 if kind.base in UNSIGNED else -high - 1, high)
    if kind.base == "numeric" and kind.sizes:
        precision, digits = (*kind.sizes, 0)[:2]
        return Scale(-(10**precision) + 1, 10**precision - 1, digits)
    if kind.base == "float4":
        return Scale(-(10**6), 10**6)
    return Scale(-LOOSE, LOOSE, 2)


def quantities(kind: ColumnType, hints: Hints) -> Iterator[Generator]:
    """Yield generators of a numeric type, the plainest first."""
    scale = scale_of(kind)
    yield from scale.line("counting up", 1)
    yield from _between(_finer(kind, scale), hints.numbers)
    marks = [mark for mark in sorted({scale.units(number) for number in hints.numbers}) if scale.low <= mark]
    yield from _around(scale, marks)
    yield from scale.line("counting up from 2", 2)
    yield from scale.line("even numbers", 2, 2)
    yield from scale.line("odd numbers", 1, 2)
    yield from scale.line("counting up from a million", 1_000_001)
    yield from scale.line("counting down from -1", -1, -1)
    yield from scale.line("from 0", 0)


def _finer(kind: ColumnType, scale: Scale) -> Scale:
    """Return a scale with values between close constants, if the type has one."""
    if kind.sizes or kind.base not in ("numeric", "float4", "float8"):
        return scale
    return Scale(-LOOSE * 10**4, LOOSE * 10**4, 6)


def _between(scale: Scale, numbers: Iterable[Decimal]) -> Iterator[Generator]:
    """Yield values between neighbouring constants, and between the outermost."""
    marks = sorted({scale.units(number) for number in numbers})
    pairs = list(pairwise(marks))
    if len(marks) > 2:
        pairs.append((marks[0], marks[-1]))
    for low, high in pairs:
        first, last = scale.text(low), scale.text(high)
        yield from scale.line(f"{first} to {last}", low, 1, min(high, scale.high))
        yield from scale.line(f"between {first} and {last}", low + 1, 1, min(high - 1, scale.high))
        yield from scale.line(f"above {first} to {last}", low + 1, 1, min(high, scale.high))
        yield from scale.line(f"{first} to below {last}", low, 1, min(high - 1, scale.high))


def _around(scale: Scale, marks: list[int]) -> Iterator[Generator]:
    """Yield values at, above and below each constant, and its multiples."""
    if not marks:
        return
    yield from scale.line(f"above {scale.text(marks[-1])}", marks[-1] + 1)
    for mark in marks:
        if mark > 1:
            yield from scale.line(f"multiples of {scale.text(mark)}", mark, mark)
    yield one_of("constants of the condition", [scale.text(mark) for mark in marks if mark <= scale.high] or ["0"])
    for mark in marks:
        yield from scale.line(f"from {scale.text(mark)} up", mark)
        yield from scale.line(f"below {scale.text(mark)}", mark - 1, -1)
        yield from scale.line(f"from {scale.text(mark)} down", mark, -1)
