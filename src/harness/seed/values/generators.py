"""Generators: a column's text is computed from the row's index, so that distinct values need no memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Text = str | None
"""A value for COPY, before escaping; None is NULL."""

ENDLESS = 1 << 60
"""The capacity of a generator that never repeats."""

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
LETTERS = DIGITS[10:]


@dataclass(frozen=True, slots=True)
class Generator:
    """`make(index)` returns a text for every index from 0; those below `capacity` are distinct case-insensitively.

    Errors show `name`. The caller keeps the index below `capacity` (`at`).
    """

    name: str
    make: Callable[[int], str]
    capacity: int = ENDLESS

    def at(self, index: int) -> str:
        """Return the text of any index, repeating after `capacity`."""
        return self.make(index % self.capacity)


def one_of(name: str, values: Sequence[str]) -> Generator:
    """Return a generator of the values in turn."""
    distinct = list(dict.fromkeys(values))
    return Generator(name, distinct.__getitem__, len(distinct))


def constant(value: str) -> Generator:
    """Return a generator of one value."""
    return Generator(repr(value), lambda _: value, 1)


def in_base(number: int, alphabet: str, width: int = 1) -> str:
    """Return `number` in the digits of `alphabet`, padded with the first one to `width`."""
    base = len(alphabet)
    signs = []
    while number:
        number, digit = divmod(number, base)
        signs.append(alphabet[digit])
    return "".join(reversed(signs)).rjust(width, alphabet[0])


def scrambled(index: int) -> int:
    """Return a number of 64 bits that looks random, a different one for every index below 2^64."""
    number = (index + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    number ^= number >> 31
    return number * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
