"""Changes that a test made to its database, read from the write-ahead log (WAL), and how to undo them.

Every lasting change of a permanent relation is in the WAL before it is on disk: crash recovery depends on it. So the
WAL between lending a database and its return names every relation that was written, by any session, however that ended.
The cost grows with what was written, not with the size of the database. docs/fresh-databases.md has the proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

HARMLESS = {
    ("Heap", "LOCK"),  # FOR UPDATE, foreign keys' checks
    ("Heap2", "LOCK_UPDATED"),
    ("Heap2", "PRUNE"),  # dead rows removed by any session that read the page
    ("Heap2", "PRUNE_ON_ACCESS"),
    ("Heap2", "PRUNE_VACUUM_SCAN"),
    ("Heap2", "PRUNE_VACUUM_CLEANUP"),
    ("Heap2", "FREEZE_PAGE"),
    ("Heap2", "VACUUM"),
    ("Heap2", "VISIBLE"),
    ("XLOG", "FPI_FOR_HINT"),  # a page was read with checksums on
}
"""Records that change how rows are stored, but no row."""

WITHOUT_RELATION = {
    "CLOG",
    "CommitTs",
    "Database",  # databases created and dropped; ours is compared by its row in pg_database
    "LogicalMessage",
    "MultiXact",
    "Standby",
    "Storage",  # files created and truncated: a new one has a row in pg_class, an old one was vacuumed
    "Tablespace",  # compared by the digest of what the cluster shares
    "Transaction",
    "XLOG",
}
"""Resource managers (rmgrlist.h) whose records without a relation say nothing about rows."""

READ_RELATIONS = """
SELECT pg_relation_filenode(c.oid), c.relkind, coalesce(main.oid, c.oid), c.relpersistence = 'u',
       format('%I.%I', n.nspname, c.relname), pg_relation_size(c.oid) > 0,
       EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgenabled IN ('A', 'R'))
       OR EXISTS (SELECT FROM pg_rewrite WHERE ev_class = c.oid AND ev_enabled IN ('A', 'R'))
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_class AS main ON c.relkind = 't' AND main.reltoastrelid = c.oid
WHERE c.oid >= 16384 AND c.relkind IN ('r', 't', 'i', 'S', 'm')
"""


@dataclass(frozen=True, slots=True)
class Undo:
    """The steps that reset a database: tables to empty and sequences to set; none if nothing was written."""

    tables: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()

    def statement(self, layout: Layout) -> sql.Composed:
        """Return the statements as one text; under this replication role no trigger, foreign key or rule fires.

        The last statement returns the WAL position and the size of the emptied tables in bytes.
        """
        parts: list[sql.Composable] = [sql.SQL("SET session_replication_role TO replica")]
        parts += [sql.SQL("DELETE FROM ONLY {}").format(sql.SQL(table)) for table in self.tables]
        for name in self.sequences:
            value, called = layout.sequences[name]
            parts.append(sql.SQL("SELECT setval({}, {}, {})").format(name, value, called))
        sizes = [sql.SQL("pg_table_size({})").format(table) for table in self.tables]
        total = sql.SQL(" + ").join(sizes) if sizes else sql.SQL("0")
        parts.append(sql.SQL("SELECT pg_current_wal_insert_lsn()::text, ({})::bigint").format(total))
        return sql.SQL("; ").join(parts)


@dataclass(frozen=True, slots=True)
class Layout:
    """The relations of a template: the table, sequence or index of each file, and how to reset it.

    `empty` and `full` map a file (pg_relation_filenode) to a table without and with rows, its TOAST table included.
    A table with triggers or rules that fire under every replication role counts as full: emptying it has effects.
    `sequences` holds (last_value, is_called).
    """

    empty: dict[int, str]
    full: dict[int, str]
    sequences: dict[str, tuple[int, bool]]
    sequence_files: dict[int, str]
    indexes: frozenset[int]
    unlogged: Undo
    obstacle: str = ""
    """Why no database with this layout can be reset, if so."""

    def judge(self, touched: Iterable[tuple[str, str, int | None]]) -> Undo | str:
        """Return what undoes the writes `touched` (resource manager, record type, file), or why nothing does."""
        tables = set(self.unlogged.tables)
        sequences = set(self.unlogged.sequences)
        for manager, kind, file in touched:
            if (manager, kind) in HARMLESS or file in self.indexes or (file is None and manager in WITHOUT_RELATION):
                continue
            if file in self.empty:
                tables.add(self.empty[file])
            elif file in self.sequence_files:
                sequences.add(self.sequence_files[file])
            elif file in self.full:
                return f"rows of {self.full[file]}, which is not empty in the template, were changed"
            else:
                return "something other than rows was changed"
        return self.obstacle or Undo(tuple(sorted(tables)), tuple(sorted(sequences)))


def read_layout(session: psycopg.Connection[Any]) -> Layout:
    """Read the layout of the database that `session` is connected to, which must be like its template."""
    rows = session.execute(READ_RELATIONS).fetchall()
    names = {oid: name for _, kind, oid, _, name, _, _ in rows if kind in "rm"}
    suspects = [name for _, kind, _, _, name, sized, _ in rows if kind == "r" and sized]
    filled = {name for name, holds in _ask(session, suspects, "SELECT {0}, EXISTS (SELECT FROM ONLY {1})") if holds}
    active = {name for _, kind, _, _, name, _, fires in rows if kind == "r" and fires}
    views = {name for _, kind, _, _, name, _, _ in rows if kind == "m"}
    kept = filled | active | views
    unlogged = {name for _, kind, _, off, name, _, _ in rows if kind == "r" and off}
    sequences = [(file, name, off) for file, kind, _, off, name, _, _ in rows if kind == "S"]
    positions = _ask(session, [name for _, name, _ in sequences], "SELECT {0}, last_value, is_called FROM {1}")
    stores = [(file, names[oid]) for file, kind, oid, _, _, _, _ in rows if kind in "rtm" and oid in names]
    return Layout(
        empty={file: name for file, name in stores if name not in kept},
        full={file: name for file, name in stores if name in kept},
        sequences={name: (value, called) for name, value, called in positions},
        sequence_files={file: name for file, name, _ in sequences},
        indexes=frozenset(file for file, kind, *_ in rows if kind == "i"),
        unlogged=Undo(tuple(sorted(unlogged)), tuple(sorted(name for _, name, off in sequences if off))),
        obstacle=f"{min(unlogged & kept)} is unlogged and not empty in the template" if unlogged & kept else "",
    )


def _ask(session: psycopg.Connection[Any], names: list[str], question: str) -> Iterator[Any]:
    """Ask `question` about each relation; `{0}` is its name as text, `{1}` the relation.

    All in one round trip, as one text of many statements, which takes a fifth of the time of a UNION.
    """
    asked = [sql.SQL(question).format(sql.Literal(name), sql.SQL(name)) for name in names]
    if asked:
        cursor = session.execute(sql.SQL("; ").join(asked))
        yield cursor.fetchone()
        while cursor.nextset():
            yield cursor.fetchone()
