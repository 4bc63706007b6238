"""What fills one column, or several together: a recipe, rows of a parent, rows that were found to satisfy a CHECK."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.seed.values.generators import Generator, Text

Row = tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class ValueSource:
    """`row(index)` gives the texts of `columns` (attribute numbers) for every index below `capacity`."""

    columns: tuple[int, ...]
    name: str
    row: Callable[[int], Row]
    capacity: int

    @property
    def empty(self) -> bool:
        """Whether it gives nothing but one row for all: a NULL or a constant."""
        return self.capacity <= 1

    def at(self, index: int) -> Row:
        """The row of any index, repeating after `capacity`."""
        return self.row(index % self.capacity)

    def placed(self, index: Callable[[int], int]) -> ValueSource:
        """The same rows, taken at `index(row number)`."""
        row = self.row
        return replace(self, row=lambda number: row(index(number)))


def from_generator(column: int, generator: Generator) -> ValueSource:
    """A source of one column."""
    make = generator.make
    return ValueSource((column,), generator.name, lambda index: (make(index),), generator.capacity)


def from_rows(columns: tuple[int, ...], name: str, rows: Sequence[Row]) -> ValueSource:
    """A source of known rows."""
    return ValueSource(columns, name, rows.__getitem__, len(rows))


def nothing(columns: tuple[int, ...]) -> ValueSource:
    """NULL in all columns."""
    row: Row = (None,) * len(columns)
    return ValueSource(columns, "NULL", lambda _: row, 1)
