"""Relationships of the models.

Judged by the catalogue alone: with a few rows, or with scans forbidden, a planner calls almost anything an index scan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper, RelationshipProperty, configure_mappers

from harness.catalog import Snapshot, Table
from harness.rules import Breach, rule
from harness.schema.access.index_match import nearest, serving
from harness.schema.alembic_code import create_index


def mapped(module: ModuleType, metadata: sa.MetaData) -> list[Mapper[Any]]:
    """Return the mappers of `metadata`, found through any mapped class or base among `module`'s names."""
    configure_mappers()
    registries = {
        value.registry
        for value in vars(module).values()
        if isinstance(value, type) and getattr(value, "metadata", None) is metadata and hasattr(value, "registry")
    }
    mappers = {mapper for registry in registries for mapper in registry.mappers}
    return sorted(mappers, key=lambda mapper: mapper.class_.__name__)


@rule("relationship-without-index", "error", "Every relationship can use an index")
def relationship_without_index(mappers: Iterable[Mapper[Any]], snapshot: Snapshot) -> Iterator[Breach]:
    """Find relationship() columns, from either end or through `secondary`, that no index serves.

    Why: selectinload, lazy loading and joins look up rows by these columns, and each look-up reads the whole table
    Fix: add one index whose first keys are the columns of the relationship
    """
    found: set[str] = set()
    for mapper in mappers:
        for relationship in mapper.relationships:
            for columns in _probed(relationship):
                breach = _judged(f"{mapper.class_.__name__}.{relationship.key}", columns, snapshot)
                if breach and (place := breach.object.partition(" -> ")[2]) not in found:
                    found.add(place)
                    yield breach


def _probed(relationship: RelationshipProperty[Any]) -> Iterator[list[sa.Column[Any]]]:
    """The sets of columns that loading it, in either direction, compares with given values."""
    pairs = [relationship.synchronize_pairs, relationship.secondary_synchronize_pairs or []]
    if relationship.secondary is None:
        pairs = [relationship.local_remote_pairs or []]
    for side in pairs:
        for columns in zip(*side, strict=True) if side else ():
            own = [column for column in columns if isinstance(column, sa.Column)]
            if own and len({column.table for column in own}) == 1:
                yield own


def _judged(name: str, columns: list[sa.Column[Any]], snapshot: Snapshot) -> Breach | None:
    """Return a breach when no index of the columns' table serves them all."""
    table = _table(snapshot, columns[0].table)
    if table is None or any(column.name not in table.by_name for column in columns):
        return None
    numbers = tuple(dict.fromkeys(table.by_name[column.name].number for column in columns))
    if serving(table, numbers):
        return None
    names = table.names(numbers)
    return Breach(
        f"{name} -> {table.qualified}({', '.join(names)})",
        f"loading {name} looks up {table.qualified} by ({', '.join(names)}); {nearest(table, numbers)}",
        create_index(table, names),
    )


def _table(snapshot: Snapshot, table: Any) -> Table | None:
    """The snapshot's table behind a mapped one."""
    return snapshot.by_name.get(f"{table.schema or 'public'}.{table.name}") if isinstance(table, sa.Table) else None
