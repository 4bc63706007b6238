"""Rows of parent tables for the foreign keys of a child; each row has its own parent while there are enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from harness.catalog import Constraint, Snapshot, Table
from harness.errors import HarnessError
from harness.seed.references.table_order import enforced_keys
from harness.seed.values.numbers import UNSIGNED, WHOLE
from harness.seed.values.sources import Row, ValueSource, from_rows, nothing


class Parents:
    """Reads the keys of parents, once for each key."""

    def __init__(self, connection: psycopg.Connection[Any], snapshot: Snapshot, rows: int) -> None:
        self.connection = connection
        self.snapshot = snapshot
        self.rows = rows

    def choices(self, table: Table, waiting: frozenset[int]) -> list[list[ValueSource]]:
        """Return, for each group of foreign keys that share columns, rows of parents, then NULL if it is allowed.

        Keys to the table itself and keys that are set later are left out.

        Raises:
            HarnessError: when parents are missing and the columns are NOT NULL.
        """
        keys = [key for key in enforced_keys(table) if key.target != table.oid and key.oid not in waiting]
        return [self._group(table, group) for group in _sharing(keys)]

    def _group(self, table: Table, keys: Sequence[Constraint]) -> list[ValueSource]:
        ordered = sorted(keys, key=lambda key: (-len(key.columns), key.name))
        columns, rows = ordered[0].columns, self._read(table, ordered[0], limited=len(ordered) == 1)
        for key in ordered[1:]:
            columns, rows = _joined(columns, rows, key.columns, self._read(table, key, limited=False))
        found = (
            [from_rows(columns, "rows of " + ", ".join(map(self._target, ordered)), rows[: self.rows])] if rows else []
        )
        open_columns = {number for number in columns if not table.by_number[number].not_null}
        if all(open_columns & set(key.columns) for key in ordered):
            found += _left_open(columns, rows, open_columns, ordered)
        if not found:
            raise _orphan(table, ordered, list(map(self._target, ordered)))
        return found

    def _target(self, key: Constraint) -> str:
        parent = self.snapshot.by_oid.get(key.target)
        return parent.qualified if parent else f"a table outside the project (OID {key.target})"

    def _read(self, table: Table, key: Constraint, *, limited: bool) -> list[Row]:
        """Read the referenced columns of the parent as texts, sorted, without NULLs and values that do not fit."""
        parent = self.snapshot.by_oid.get(key.target)
        if parent is None:
            return []
        names = [sql.Identifier("p", name) for name in parent.names(key.referenced)]
        query = sql.SQL("SELECT {texts} FROM {table} p WHERE num_nulls({names}) = 0{fit} ORDER BY {names}").format(
            texts=sql.SQL(", ").join(sql.SQL("{}::text").format(name) for name in names),
            table=sql.Identifier(parent.schema, parent.name),
            names=sql.SQL(", ").join(names),
            fit=fitting(table, key, names),
        )
        if limited:
            query += sql.SQL(" LIMIT {}").format(self.rows)
        return self.connection.execute(query).fetchall()


def fitting(table: Table, key: Constraint, names: Sequence[sql.Identifier]) -> sql.Composed:
    """Return bounds on the referenced columns, ` AND …`: the child's column may be of a narrower integer type."""
    bounds: list[sql.Composable] = []
    for number, name in zip(key.columns, names, strict=True):
        base = table.by_number[number].base
        if base in WHOLE:
            high = (1 << WHOLE[base]) - 1
            low = 0 if base in UNSIGNED else -high - 1
            bounds.append(sql.SQL(" AND {} BETWEEN {} AND {}").format(name, low, high))
    return sql.Composed(bounds)


def _sharing(keys: Sequence[Constraint]) -> list[list[Constraint]]:
    """Group foreign keys that share columns."""
    groups: list[list[Constraint]] = []
    for key in keys:
        tied = [group for group in groups if any(set(key.columns) & set(other.columns) for other in group)]
        groups = [group for group in groups if group not in tied]
        groups.append([*(other for group in tied for other in group), key])
    return groups


def _joined(
    columns: tuple[int, ...], rows: list[Row], others: tuple[int, ...], keys: list[Row]
) -> tuple[tuple[int, ...], list[Row]]:
    """Extend rows by another parent's keys that agree in the shared columns; its rows are used in turn."""
    shared = [number for number in others if number in columns]
    added = [number for number in others if number not in columns]
    partners: dict[Row, list[Row]] = defaultdict(list)
    for key in keys:
        at = dict(zip(others, key, strict=True))
        partners[tuple(at[number] for number in shared)].append(tuple(at[number] for number in added))
    places = [columns.index(number) for number in shared]
    taken: dict[Row, int] = defaultdict(int)
    found = []
    for row in rows:
        meeting = tuple(row[place] for place in places)
        if options := partners.get(meeting):
            found.append(row + options[taken[meeting] % len(options)])
            taken[meeting] += 1
    return (*columns, *added), found


def _left_open(
    columns: tuple[int, ...], rows: list[Row], open_columns: set[int], keys: Sequence[Constraint]
) -> list[ValueSource]:
    """Set NULL in the columns that allow it, in whole keys for MATCH FULL; the rest comes from the parents."""
    if open_columns >= set(columns):
        return [nothing(columns)]
    if not rows or any(key.match == "f" for key in keys):
        return []
    kept = [
        tuple(None if number in open_columns else text for number, text in zip(columns, row, strict=True))
        for row in rows
    ]
    return [from_rows(columns, "rows of parents, open where NULL is allowed", kept)]


def _orphan(table: Table, keys: Sequence[Constraint], targets: Sequence[str]) -> HarnessError:
    names = ", ".join(f"{key.name} ({', '.join(table.names(key.columns))})" for key in keys)
    parents = ", ".join(dict.fromkeys(targets))
    return HarnessError(
        f"{table.qualified} cannot be seeded: no row of {parents} can be its parent by {names}, and the columns are "
        "NOT NULL",
        looked_at="the rows that are there, in the order of foreign keys",
        remedy=f"fill {parents} too, or give its rows by hand (`given`, or `seed` in the revision file)",
    )
