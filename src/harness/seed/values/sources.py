"""Sources of one column, or of several together: a generator, rows of a parent, rows that satisfy a CHECK."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.seed.values.generators import Generator, Text

Row = tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class ValueSource:
    """`row(index)` returns the texts of `columns` (attribute numbers) for every index below `capacity`."""

    columns: tuple[int, ...]
    name: str
    row: Callable[[int], Row]
    capacity: int

    @property
    def empty(self) -> bool:
        """Whether all its rows are the same: NULL or a constant."""
        return self.capacity <= 1

    def at(self, index: int) -> Row:
        """Return the row of any index, repeating after `capacity`."""
        return self.row(index % self.capacity)

    def placed(self, index: Callable[[int], int]) -> ValueSource:
        """Return the same source, read at `index(row number)`."""
        row = self.row
        return replace(self, row=lambda number: row(index(number)))


def from_generator(column: int, generator: Generator) -> ValueSource:
    """Return a source of one column."""
    make = generator.make
    return ValueSource((column,), generator.name, lambda index: (make(index),), generator.capacity)


def from_rows(columns: tuple[int, ...], name: str, rows: Sequence[Row]) -> ValueSource:
    """Return a source of known rows."""
    return ValueSource(columns, name, rows.__getitem__, len(rows))


def nothing(columns: tuple[int, ...]) -> ValueSource:
    """Return a source of NULL in all columns."""
    row: Row = (None,) * len(columns)
    return ValueSource(columns, "NULL", lambda _: row, 1)
