"""The record of a revision: frozen, without connections, and ready for JSON by `dataclasses.asdict`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Mode = Literal[
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
]
"""A lock mode as pg_locks names it."""

MODES: tuple[Mode, ...] = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
"""From the weakest to the strongest."""

BLOCK_WRITES = frozenset(MODES[4:])
"""Modes that conflict with ROW EXCLUSIVE, which every INSERT, UPDATE and DELETE takes (manual, 13.3)."""


CONCURRENTLY = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)
"""The word of statements that wait for other transactions and block no writer."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or a materialized view (`kind` r, p, m) from before the revision, with its number of rows then."""

    oid: int
    name: str
    kind: str
    rows: int
    root: str = ""
    """The partitioned table that it belongs to, else its own name."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock on a relation from before the revision, under its name then."""

    relation: str
    mode: str

    @property
    def blocks_writes(self) -> bool:
        """Whether the lock blocks all writers."""
        return self.mode in BLOCK_WRITES

    @property
    def short(self) -> str:
        """The mode as SQL writes it: ACCESS EXCLUSIVE."""
        words = self.mode.removesuffix("Lock")
        return "".join(f" {char}" if char.isupper() else char for char in words).strip().upper()


@dataclass(frozen=True, slots=True)
class RowCounts:
    """The numbers of rows of one relation that a statement has read and written."""

    relation: str
    read: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def changed(self) -> int:
        """The number of rows updated and deleted."""
        return self.updated + self.deleted


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A relation with a new file. `kind` is r or m, or i for an index of `table`; `emptied` after TRUNCATE."""

    relation: str
    kind: str
    table: str
    emptied: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice of the server."""

    sqlstate: str
    message: str


@dataclass(frozen=True, slots=True)
class Command:
    """A DDL command as the event trigger saw it, also inside functions and DO blocks; `tag` such as ALTER TABLE."""

    tag: str
    object: str


@dataclass(frozen=True, slots=True)
class DroppedObject:
    """An object that was dropped with another one, which the statement named."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class CatalogPart:
    """A constraint, an index, a trigger, a column's NOT NULL or a partition, as a statement left it.

    `table` is the table's OID; `kind` is contype (p, u, f, c, x), `index`, `trigger`, `not null` or `partition`;
    `index` is the OID of its index and `target` the OID of the other table (the parent of a partition).
    """

    kind: str
    table: int
    name: str
    valid: bool = True
    index: int = 0
    target: int = 0
    unique: bool = False
    columns: int = 0


@dataclass(frozen=True, slots=True)
class TracedStatement:
    """One statement of a revision.

    `transaction` is the number of its transaction, None outside of one. `locks` are those it took on relations from
    before the revision, `held` those that earlier statements of the same transaction hold. Timeouts are in
    milliseconds, 0 for none. `made` and `gone` are parts of tables that it created, changed or dropped.
    """

    number: int
    sql: str
    transaction: int | None
    locks: tuple[Lock, ...] = ()
    held: tuple[Lock, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    rows: tuple[RowCounts, ...] = ()
    milliseconds: float = 0.0
    lock_timeout: int = 0
    statement_timeout: int = 0
    sqlstate: str | None = None
    error: str | None = None
    refused: str = ""
    """`schema.table.column` or `schema.table.constraint` of the error, if the server names it."""
    notices: tuple[Notice, ...] = ()
    commands: tuple[Command, ...] = ()
    dropped: tuple[DroppedObject, ...] = ()
    made: tuple[CatalogPart, ...] = ()
    gone: tuple[CatalogPart, ...] = ()
    ended_transaction: bool = False
    changed: bool = False
    """Whether it changed the catalogue, files or rows."""
    sent: int = 0
    """The number of the string that contained it; a string may hold several statements."""
    alone: bool = False
    """Whether its transaction is that string: a string of several statements is one, if sent outside of one."""
    numbers: tuple[tuple[str, int], ...] = ()
    """The integer parameters, by name or position."""
    line: int | None = None
    """The line of the revision's file that sent it."""

    def locked(self, relation: str) -> str | None:
        """Return the strongest mode that it has taken on a relation."""
        modes = [lock.mode for lock in self.locks if lock.relation == relation]
        return max(modes, key=MODES.index, default=None)


@dataclass(frozen=True)
class Trace:
    """A revision as it ran on rows: its statements in order, and the relations from before.

    `error` and `sqlstate` are None if it succeeded. `hung` says which session waited for which, if it was cancelled.
    """

    revision: str
    version: int
    relations: tuple[Relation, ...]
    statements: tuple[TracedStatement, ...]
    error: str | None = None
    sqlstate: str | None = None
    hung: str | None = None
    where: str = ""
    """The line of the revision's file at which it failed, with its text."""
    line: int | None = None
    """The number of that line."""

    @cached_property
    def by_name(self) -> dict[str, Relation]:
        """The relations from before, by their names then."""
        return {relation.name: relation for relation in self.relations}

    @cached_property
    def by_oid(self) -> dict[int, Relation]:
        """The relations from before, by OID."""
        return {relation.oid: relation for relation in self.relations}

    @property
    def stops(self) -> tuple[TracedStatement, ...]:
        """The statements whose effect a later failure does not undo: outside a transaction, or ending one."""
        changed = {item.transaction for item in self.statements if item.changed}
        failed = {item.transaction for item in self.statements if item.error}
        last = {item.transaction: item for item in self.statements if item.alone and item.transaction not in failed}
        return tuple(
            item
            for item in self.statements
            if not item.error
            and (
                (item.transaction is None and item.changed)
                or ((item.ended_transaction or item is last.get(item.transaction)) and item.transaction in changed)
            )
        )

    def line_of(self, name: str) -> int | None:
        """Return the line of the last statement with a command on an object, or on what holds it; None without one."""
        for statement in reversed(self.statements):
            named = [*(item.object for item in statement.commands), *(item.name for item in statement.dropped)]
            if any(f"{name}.".startswith(f"{item}.") for item in named if item):
                return statement.line
        return None

    def table(self, oid: int) -> Relation | None:
        """Return a table from before the revision, if it had rows."""
        found = self.by_oid.get(oid)
        return found if found and found.rows else None

    def scanned(self, statement: TracedStatement) -> frozenset[str]:
        """Return the relations that a statement has scanned; with a partition, its partitioned table too."""
        read = ((self.by_name[item.relation], item.read) for item in statement.rows)
        found = [relation for relation, rows in read if relation.rows and rows >= relation.rows]
        return frozenset(name for relation in found for name in (relation.name, relation.root or relation.name))


def strongest(statements: Iterable[TracedStatement]) -> str:
    """Return the strongest lock of several statements, as SQL writes it; "" for none."""
    locks = [lock for statement in statements for lock in statement.locks if lock.mode in MODES]
    found = max(locks, key=lambda lock: MODES.index(lock.mode), default=None)
    return found.short if found else ""
