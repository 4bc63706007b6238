"""Digests of every column, which show the values that a revision loses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from harness.catalog import Snapshot, Table
from harness.migrations.tracing.observations import ValueLoss

Digest = Counter[int]
"""The number of occurrences of each hash of a non-null value in a column."""

Digests = dict[tuple[int, int], Digest]
"""Digests by table OID and column number."""


def digest(session: psycopg.Connection[Any], snapshot: Snapshot) -> Digests:
    """Return a digest of the texts of every column of every table."""
    found: Digests = {}
    for table in snapshot.roots:
        numbers = [column.number for column in table.columns]
        if numbers:
            row = session.execute(_query(table, {})).fetchone() or ()
            found |= {(table.oid, number): Counter(hashes) for number, hashes in zip(numbers, row, strict=True)}
    return found


def type_losses(
    session: psycopg.Connection[Any], before: Snapshot, after: Snapshot, digests: Digests
) -> list[ValueLoss]:
    """Return the values lost by changes of type: cast back to the old type, they differ."""
    losses: list[ValueLoss] = []
    for old in before.roots:
        new = after.by_oid.get(old.oid)
        for column in old.columns if new else ():
            assert new
            now = new.by_number.get(column.number)
            had = digests.get((old.oid, column.number))
            if now and had and now.type != column.type:
                name = f"{old.qualified}.{column.name}"
                try:
                    have = _cast_back(session, new, column.number, column.type)
                except psycopg.Error as error:
                    reason = f"they cannot be cast back to {column.type}: {error.diag.message_primary}"
                    losses.append(ValueLoss(name, had.total(), had.total(), reason))
                    continue
                if have is not None and (lost := had - have):
                    losses.append(ValueLoss(name, lost.total(), had.total(), f"from {column.type} to {now.type}"))
    return losses


def round_trip_losses(before: Snapshot, digests: Digests, after: Snapshot, left: Digests) -> list[ValueLoss]:
    """Return the values lost by upgrade and downgrade, by name; a table that was recreated is named once."""
    losses: list[ValueLoss] = []
    for old in before.roots:
        new = after.by_name.get(old.qualified)
        if new is None:
            continue
        lost = {
            column.name: (digests[old.oid, column.number] - left[new.oid, new.by_name[column.name].number]).total()
            for column in old.columns
            if column.name in new.by_name
        }
        had = {column.name: digests[old.oid, column.number].total() for column in old.columns}
        if new.oid != old.oid and any(lost.values()):
            losses.append(ValueLoss(old.qualified, max(lost.values()), max(had.values())))
            continue
        losses += [ValueLoss(f"{old.qualified}.{name}", count, had[name]) for name, count in lost.items() if count]
    return losses


def _cast_back(session: psycopg.Connection[Any], table: Table, number: int, former: str) -> Digest | None:
    """Return a digest of a column cast to its former type, by text if there is no cast; None if the type is gone."""
    for by in ("{}", "{}::text"):
        casts = {number: f"({by})::{former}"}
        try:
            row = session.execute(_query(table, casts, only=number)).fetchone()
            return Counter(row[0] if row else [])
        except psycopg.errors.CannotCoerce:
            continue
        except psycopg.errors.UndefinedObject:
            return None
    return None


def _query(table: Table, casts: Mapping[int, str], only: int | None = None) -> sql.Composed:
    """Return a query for one row, with an array of hashes for each column."""
    hashes = []
    for column in table.columns:
        if only in (None, column.number):
            name = sql.Identifier(column.name)
            value = sql.SQL(casts.get(column.number, "{}")).format(name)
            aggregate = sql.SQL(
                "coalesce(array_agg(hashtextextended(({})::text, 0)) FILTER (WHERE {} IS NOT NULL), '{{}}')"
            )
            hashes.append(aggregate.format(value, name))
    return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(hashes), sql.Identifier(table.schema, table.name))
