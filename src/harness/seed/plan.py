"""The plan of one table: the texts of its columns for every row number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.catalog import Table
from harness.seed.values.generators import Text
from harness.seed.values.sources import Row, ValueSource


@dataclass
class Plan:
    """`parts` holds one list of sources for each partition that rows go to in turn; a plain table has one part.

    `columns` are the numbers of the written columns, in order. `limit` is the number of rows that the keys allow.
    """

    table: Table
    columns: tuple[int, ...]
    parts: list[list[ValueSource]]
    limit: int

    def values(self, number: int, columns: Sequence[int]) -> Row:
        """Return the texts of some columns in one row."""
        found: dict[int, Text] = {}
        for source in self.parts[number % len(self.parts)]:
            if set(source.columns) & set(columns):
                found |= zip(source.columns, source.row(number), strict=True)
        return tuple(found[column] for column in columns)

    def blocks(self, start: int, end: int) -> Iterator[list[Sequence[Text]]]:
        """Yield the rows from `start` up to `end` by partition, each block as lists of texts by column."""
        count = len(self.parts)
        for place, sources in enumerate(self.parts):
            numbers = range(start + (place - start) % count, end, count)
            if numbers:
                yield self._block(sources, numbers)

    def rows(self, start: int, end: int) -> Iterator[Row]:
        """Yield the rows from `start` up to `end`."""
        for block in self.blocks(start, end):
            yield from zip(*block, strict=True)

    def _block(self, sources: Sequence[ValueSource], numbers: range) -> list[Sequence[Text]]:
        texts: dict[int, Sequence[Text]] = {}
        for source in sources:
            texts |= zip(source.columns, zip(*map(source.row, numbers), strict=True), strict=True)
        return [texts[column] for column in self.columns]
