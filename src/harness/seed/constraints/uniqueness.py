"""Assigns the rows of sources so that unique columns stay distinct, and counts how many rows are possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from harness.seed.values.sources import ValueSource

Place = Callable[[int], int]
"""Maps the number of a table's row to the index of a source's row."""


def place(
    sources: Sequence[ValueSource],
    keys: Sequence[frozenset[int]],
    rows: int,
    stride: int = 1,
    free: frozenset[int] = frozenset(),
) -> tuple[list[ValueSource], int]:
    """Return the sources with their places, and the number of rows, at most `rows`, that keep every key distinct.

    A source with enough rows is read at the row's own number. Smaller ones repeat; those of one key are counted like
    the digits of a number. `stride` is the number of partitions that rows go to in turn. `free` are columns filled
    elsewhere, with distinct values.
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
    """Return places that give every combination once before one repeats, each shifted with the first."""
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
