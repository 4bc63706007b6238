"""The partitions of a table: rows go to them in turn, each within its bound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from harness.catalog import Snapshot, Table
from harness.seed.constraints.conditions import Condition, conditions_of, partition_condition, unique_sets
from harness.seed.values.column_types import ColumnTypes


@dataclass(frozen=True, slots=True)
class Partition:
    """The conditions of the rows of one partition, and the keys that only this partition has."""

    conditions: tuple[Condition, ...] = ()
    keys: tuple[frozenset[int], ...] = ()


def parts_of(
    connection: psycopg.Connection[Any], snapshot: Snapshot, root: Table, kinds: ColumnTypes
) -> list[Partition]:
    """Return the parts that rows of `root` go to; one without conditions for a plain table.

    Partitions by hash are one part together: a value for one of them is found only by trying.
    """
    children: dict[int, list[Table]] = {}
    for table in snapshot.tables:
        if table.partition:
            children.setdefault(table.parents[0], []).append(table)
    parts = [_part(connection, root, leaf, kinds, children) for leaf in _ends(root, children)]
    return parts or [Partition()]


def has_partitions(snapshot: Snapshot, root: Table) -> bool:
    """Return whether a partitioned table has a partition."""
    return any(table.partition and root.oid in table.parents for table in snapshot.tables)


def _ends(table: Table, children: dict[int, list[Table]]) -> Iterator[Table]:
    """Yield the tables below which nothing needs to be chosen."""
    below = children.get(table.oid, [])
    if table.kind != "p" or (_hashed(table) and all(child.kind == "r" for child in below)):
        yield table
    else:
        for child in sorted(below, key=lambda child: child.qualified):
            yield from _ends(child, children)


def _hashed(table: Table) -> bool:
    return (table.partition_key or "").startswith("HASH")


def _part(
    connection: psycopg.Connection[Any], root: Table, end: Table, kinds: ColumnTypes, children: dict[int, list[Table]]
) -> Partition:
    """Return a part: the bound of a partition as the server writes it, and its own conditions and keys."""
    conditions: list[Condition] = []
    keys: list[frozenset[int]] = []
    if end.oid != root.oid:
        conditions += _bounds(connection, root, [end])
        conditions += [_carried(root, end, condition) for condition in conditions_of(end, kinds)]
        keys = [_numbers(root, end, key) for key in unique_sets(end)]
    leaves = children.get(end.oid, [])
    if leaves and _incomplete(leaves):
        conditions += _bounds(connection, root, leaves)
    return Partition(tuple(conditions), tuple(keys))


def _bounds(connection: psycopg.Connection[Any], root: Table, tables: list[Table]) -> list[Condition]:
    """Return the condition that a row is in one of the tables."""
    query = "SELECT pg_get_partition_constraintdef(oid) FROM unnest(%s::oid[]) oid"
    found = [row[0] for row in connection.execute(query, [[table.oid for table in tables]]).fetchall()]
    if not all(found):
        return []
    return [partition_condition(root, tables[0].qualified, " OR ".join(f"({bound})" for bound in found))]


def _incomplete(leaves: list[Table]) -> bool:
    """Return whether some remainders of a hash have no partition."""
    moduli = [int(match[1]) for leaf in leaves if (match := re.search(r"modulus (\d+)", leaf.partition_bound or ""))]
    return sum(1 / modulus for modulus in moduli) < 0.999


def _numbers(root: Table, leaf: Table, numbers: frozenset[int]) -> frozenset[int]:
    """Translate column numbers of a partition to its root's: an attached table may have another order."""
    return frozenset(root.by_name[leaf.by_number[number].name].number for number in numbers)


def _carried(root: Table, leaf: Table, condition: Condition) -> Condition:
    return Condition(condition.name, condition.expression, _numbers(root, leaf, condition.columns))
