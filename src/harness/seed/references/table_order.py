"""The order in which tables are filled, and the foreign keys that are set after all rows are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from harness.catalog import Constraint, Table


@dataclass(frozen=True, slots=True)
class TableOrder:
    """`tables` with parents first; `waiting` are OIDs of foreign keys that are set after all rows are written."""

    tables: tuple[Table, ...]
    waiting: frozenset[int] = field(default=frozenset())


def enforced_keys(table: Table) -> tuple[Constraint, ...]:
    """Return the foreign keys that the server checks on new rows."""
    return tuple(key for key in table.foreign_keys if key.enforced)


def own_columns(table: Table, key: Constraint) -> tuple[int, ...]:
    """Return the columns of a foreign key that no other one uses."""
    shared = {number for other in enforced_keys(table) if other.oid != key.oid for number in other.columns}
    return tuple(number for number in key.columns if number not in shared)


def can_be_null(table: Table, key: Constraint) -> bool:
    """Return whether the key can be NULL in a column that no other key uses."""
    return any(not table.by_number[number].not_null for number in own_columns(table, key))


def arrange(tables: Sequence[Table]) -> TableOrder:
    """Order `tables` by their foreign keys; cycles are opened at a nullable key, else a deferrable one, else any."""
    oids = {table.oid: table for table in tables}
    waiting: set[int] = set()
    while True:
        graph = {table.oid: _parents(table, oids, waiting) for table in tables}
        try:
            return TableOrder(tuple(oids[oid] for oid in TopologicalSorter(graph).static_order()), frozenset(waiting))
        except CycleError as error:
            waiting.add(_opened([oids[oid] for oid in error.args[1]]).oid)


def _parents(table: Table, oids: Mapping[int, Table], waiting: set[int]) -> list[int]:
    """Return OIDs of the parents to fill before, in order of name, so that the result does not vary."""
    keys = (key for key in enforced_keys(table) if key.oid not in waiting)
    return list(dict.fromkeys(key.target for key in keys if key.target in oids and key.target != table.oid))


def _opened(cycle: list[Table]) -> Constraint:
    """Return the foreign key of a cycle that can be set later; `cycle` goes from parent to child, back to its start."""
    members = {table.oid: table for table in cycle}
    steps = [
        (table, key)
        for table in sorted(members.values(), key=lambda table: table.qualified)
        for key in enforced_keys(table)
        if key.target in members and key.target != table.oid
        if any(parent.oid == key.target and child.oid == table.oid for parent, child in pairwise(cycle))
    ]
    tests = (can_be_null, lambda _, key: key.deferrable, lambda *_: True)
    return next(key for able in tests for table, key in steps if able(table, key))
