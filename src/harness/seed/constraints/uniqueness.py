"""Places the rows of sources so that unique columns stay distinct, and says how many rows there can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from harness.seed.values.sources import ValueSource

Place = Callable[[int], int]
"""Which row of a source goes into a row of the table."""


def place(
    sources: Sequence[ValueSource],
    keys: Sequence[frozenset[int]],
    rows: int,
    stride: int = 1,
    free: frozenset[int] = frozenset(),
) -> tuple[list[ValueSource], int]:
    """The sources with their places, and the number of rows, `rows` or fewer, that keep every key distinct.

    A source with room for all rows is taken at the row's own number. Smaller ones repeat; where they make up a key,
    they are counted like the digits of a number. `stride` is the number of partitions that rows are dealt to in turn.
    `free` are columns filled elsewhere, with distinct values.
    """
    places: dict[int, Place] = {}
    for number, source in enumerate(sources):
        if source.capacity < rows:
            places[number] = _repeating(source.capacity, stride)
    limit = rows
    digits: set[int] = set()
    for key in sorted(keys, key=len):
        members = [number for number, source in enumerate(sources) if key & set(source.columns)]
        if key & free or any(number not in places for number in members):
            continue
        members.sort(key=lambda number: (number not in digits, -sources[number].capacity))
        limit = min(limit, prod(sources[number].capacity for number in members) * stride)
        if not digits & set(members):
            places |= _digits(members, [sources[number].capacity for number in members], stride)
            digits |= set(members)
    placed = [source.placed(places[number]) if number in places else source for number, source in enumerate(sources)]
    return placed, limit


def _repeating(capacity: int, stride: int) -> Place:
    return lambda row: row // stride % capacity


def _digits(members: Sequence[int], capacities: Sequence[int], stride: int) -> dict[int, Place]:
    """Places that meet in every combination once before one comes again, each moved along with the first."""
    places: dict[int, Place] = {}
    below = 1
    for member, capacity in zip(members, capacities, strict=True):
        places[member] = _digit(below, capacity, capacities[0], stride)
        below *= capacity
    return places


def _digit(below: int, capacity: int, first: int, stride: int) -> Place:
    if below == 1:
        return _repeating(capacity, stride)
    return lambda row: (row // stride // below + row // stride % first) % capacity
