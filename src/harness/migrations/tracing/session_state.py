"""The state that a session sees of its uncommitted work: locks, files, rows read and written, parts of tables."""

# ruff: noqa: S608 - every part that is put into a query is a constant of this module
from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.migrations.tracing.event_triggers import SCHEMA
from harness.migrations.tracing.evidence import CatalogPart, Relation, Rewrite, RowCounts

_OURS = f"n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', '{SCHEMA}')"
_MILLISECONDS = "(extract(epoch FROM current_setting('{}')::interval) * 1000)::bigint"
_FETCHED = "pg_stat_get_tuples_fetched({0}) + pg_stat_get_xact_tuples_fetched({0})"

MARK = "/* harness */"
"""The start of these queries, which distinguishes them from the revision's in pg_stat_activity."""

STATE = f"""{MARK}
SELECT json_build_object(
  'transaction', (SELECT virtualtransaction FROM pg_locks
    WHERE pid = pg_backend_pid() AND locktype = 'virtualxid' AND granted LIMIT 1),
  'lock_timeout', {_MILLISECONDS.format("lock_timeout")},
  'statement_timeout', {_MILLISECONDS.format("statement_timeout")},
  'locks', (SELECT json_agg(json_build_array(relation::bigint, mode)) FROM pg_locks
    WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())),
  'files', (SELECT json_agg(json_build_array(c.oid::bigint, c.relkind, n.nspname || '.' || c.relname,
      c.relfilenode::bigint, coalesce(i.indrelid, c.oid)::bigint))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
    WHERE c.relkind IN ('r', 'm', 'i') AND {_OURS}),
  'rows', (SELECT json_agg(json_build_array(c.oid::bigint,
      pg_stat_get_tuples_returned(c.oid) + pg_stat_get_xact_tuples_returned(c.oid) + {_FETCHED.format("c.oid")}
      + (SELECT coalesce(sum({_FETCHED.format("i.indexrelid")}), 0) FROM pg_index i WHERE i.indrelid = c.oid),
      pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_inserted(c.oid),
      pg_stat_get_tuples_updated(c.oid) + pg_stat_get_xact_tuples_updated(c.oid),
      pg_stat_get_tuples_deleted(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid)))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm') AND {_OURS})
)::text
"""
"""Counters are the shared ones plus those not flushed yet: their sum does not depend on the time of a flush (15)."""

PARTS = f"""{MARK}
SELECT json_build_object(
  'constraints', (SELECT json_agg(json_build_array(k.contype, k.conrelid::bigint, k.conname, k.convalidated,
      k.conindid::bigint, k.confrelid::bigint, false, cardinality(k.conkey)))
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
    WHERE k.conrelid <> 0 AND k.contype IN ('p', 'u', 'f', 'c', 'x') AND {_OURS}),
  'indexes', (SELECT json_agg(json_build_array('index', i.indrelid::bigint, c.relname,
      i.indisvalid, i.indexrelid::bigint, 0, i.indisunique, i.indnkeyatts))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_OURS}),
  'triggers', (SELECT json_agg(json_build_array('trigger', t.tgrelid::bigint, t.tgname, true, 0, 0, false, 0))
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND {_OURS}),
  'columns', (SELECT json_agg(json_build_array(CASE WHEN a.attnotnull THEN 'not null' ELSE 'column' END,
      a.attrelid::bigint, a.attname, true, a.attnum, 0, false, 0))
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND {_OURS}),
  'partitions', (SELECT json_agg(json_build_array('partition', h.inhrelid::bigint, n.nspname || '.' || c.relname,
      true, 0, h.inhparent::bigint, false, 0))
    FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND {_OURS})
)::text
"""


@dataclass(frozen=True, slots=True)
class File:
    """The file of a relation: `kind` r, m or i; `table` is the OID of an index's table, else its own."""

    oid: int
    kind: str
    name: str
    number: int
    table: int


@dataclass(frozen=True, slots=True)
class SessionState:
    """The state at one moment. `rows` are (read, inserted, updated, deleted) since the session began, by OID."""

    transaction: str | None = None
    lock_timeout: int = 0
    statement_timeout: int = 0
    locks: frozenset[tuple[int, str]] = frozenset()
    files: dict[int, File] = field(default_factory=dict)
    rows: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)

    @property
    def indexes(self) -> dict[str, File]:
        """Index files by name: ALTER TYPE gives an index another OID."""
        return {file.name: file for file in self.files.values() if file.kind == "i"}


def read_session_state(dbapi: Any) -> SessionState:
    """Read the state over a DBAPI connection; this opens a transaction if any statement would."""
    said = _read(dbapi, STATE)
    return SessionState(
        said["transaction"],
        said["lock_timeout"],
        said["statement_timeout"],
        frozenset((oid, mode) for oid, mode in said["locks"] or ()),
        {row[0]: File(*row) for row in said["files"] or ()},
        {oid: (read, inserted, updated, deleted) for oid, read, inserted, updated, deleted in said["rows"] or ()},
    )


def read_parts(dbapi: Any) -> frozenset[CatalogPart]:
    """Read the constraints, indexes, triggers, columns and partitions that the session sees."""
    said = _read(dbapi, PARTS)
    return frozenset(CatalogPart(row[0], row[1], row[2], *row[3:]) for rows in said.values() for row in rows or ())


def rows(relations: Mapping[int, Relation], before: SessionState, after: SessionState) -> Iterator[RowCounts]:
    """Yield the rows of earlier relations that were read and written between two states."""
    for oid, counts in after.rows.items():
        if relation := relations.get(oid):
            delta = [new - old for new, old in zip(counts, before.rows.get(oid, (0, 0, 0, 0)), strict=True)]
            if any(count > 0 for count in delta):
                yield RowCounts(relation.name, *(max(count, 0) for count in delta))


def rewrites(
    dbapi: Any, relations: Mapping[int, Relation], before: SessionState, after: SessionState
) -> Iterator[Rewrite]:
    """Yield earlier relations, and their indexes, that got a new file between two states."""
    for oid, relation in relations.items():
        old, new = before.files.get(oid), after.files.get(oid)
        if old and new and old.number != new.number:
            yield Rewrite(relation.name, old.kind, relation.name, _is_empty(dbapi, oid))
    indexes = after.indexes
    for name, old in before.indexes.items():
        found = indexes.get(name)
        table = relations.get(old.table)
        if found and table and found.number != old.number and found.table == old.table:
            yield Rewrite(name, "i", table.name)


def written(before: SessionState, after: SessionState) -> bool:
    """Return whether rows of any relation were written between two states."""
    return any(counts[1:] != before.rows.get(oid, (0, 0, 0, 0))[1:] for oid, counts in after.rows.items())


def _is_empty(dbapi: Any, oid: int) -> bool:
    """Return whether a relation's file has no page."""
    return bool(_read(dbapi, f"SELECT to_json(pg_relation_size({oid:d}) = 0)::text"))


def _read(dbapi: Any, query: str) -> Any:
    cursor = dbapi.cursor()
    try:
        cursor.execute(query)
        return json.loads(cursor.fetchone()[0])
    finally:
        cursor.close()
