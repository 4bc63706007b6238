"""Makes a statement outside a transaction wait, so that its locks can be read, and cancels one that hangs.

Such a statement's locks are gone once it has ended. While another session holds ROW EXCLUSIVE on every table, a
statement that blocks writers queues behind it, and CONCURRENTLY waits for its transaction: pg_locks then shows the
locks that it holds and requests. This does not depend on timing: a statement that does not wait here blocks no writer.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from harness.migrations.tracing.session_state import MARK
from harness.postgres.address import Address

READ_LOCKS = """
SELECT relation::bigint, mode, granted, locktype FROM pg_locks WHERE pid = %s AND locktype <> 'virtualxid'
UNION ALL SELECT NULL, NULL, granted, locktype FROM pg_locks WHERE pid = %s AND NOT granted AND locktype = 'virtualxid'
"""

READ_WAITING = """
SELECT a.pid, a.query, extract(epoch FROM clock_timestamp() - l.waitstart), coalesce(b.query, ''), coalesce(b.state, '')
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN pg_stat_activity b ON b.pid = (pg_blocking_pids(a.pid))[1]
WHERE NOT l.granted AND a.datname = %s AND l.waitstart IS NOT NULL ORDER BY l.waitstart LIMIT 1
"""

PATIENCE = 6.0
"""Seconds that a statement may wait for a lock; the revision is alone in the database."""

SHORTEST = 1000
"""Milliseconds of lock_timeout below which a statement is not made to wait: it would fail because of the probe."""


@dataclass
class LockProbe:
    """The session that makes others wait, on one database, with the tables that it locks."""

    server: Address
    database: str
    tables: Sequence[tuple[str, str]]
    _session: psycopg.Connection[Any] | None = field(default=None, repr=False)
    _watcher: psycopg.Connection[Any] | None = field(default=None, repr=False)

    @contextlib.contextmanager
    def around(self, pid: int) -> Iterator[set[tuple[int, str]]]:
        """Make the backend `pid` wait once, if it blocks writers; the set holds its locks at the end."""
        seen: set[tuple[int, str]] = set()
        over = threading.Event()
        self._hold()
        watcher = threading.Thread(target=self._watch, args=(pid, seen, over), daemon=True)
        watcher.start()
        try:
            yield seen
        finally:
            over.set()
            watcher.join()
            self._release()

    def close(self) -> None:
        """End both sessions."""
        for session in (self._session, self._watcher):
            if session:
                session.close()

    def _hold(self) -> None:
        if self._session is None:
            self._session = self.server.connect(self.database, options="-c lock_timeout=200ms")
            self._watcher = self.server.connect(self.database, autocommit=True)
        if self.tables:
            names = sql.SQL(", ").join(sql.Identifier(*name) for name in self.tables)
            try:
                self._session.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(names))
            except psycopg.Error:  # the revision has dropped or locked one of them
                self._session.rollback()

    def _release(self) -> None:
        if self._session:
            self._session.rollback()

    def _watch(self, pid: int, seen: set[tuple[int, str]], over: threading.Event) -> None:
        assert self._watcher
        while not over.wait(0.002):
            rows = self._watcher.execute(READ_LOCKS, [pid, pid]).fetchall()
            if any(not granted for _, _, granted, _ in rows):
                seen.update((relation, mode) for relation, mode, _, kind in rows if kind == "relation")
                self._release()
                return


@dataclass
class WaitLimit:
    """Cancels what waits for a lock longer than `PATIENCE`; `exceeded` then says what waited, and for which session."""

    server: Address
    database: str
    exceeded: str = ""

    @contextlib.contextmanager
    def enforced(self) -> Iterator[None]:
        """Watch the database for as long as the block lasts."""
        over = threading.Event()
        thread = threading.Thread(target=self._watch, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _watch(self, over: threading.Event) -> None:
        if over.wait(PATIENCE):
            return
        with self.server.connect(self.database, autocommit=True) as session:
            while not over.wait(0.25):
                row = session.execute(READ_WAITING, [self.database]).fetchone()
                if row and row[2] > PATIENCE:
                    pid, query, seconds, blocker, state = row
                    own = blocker.startswith(MARK)
                    behind = "the revision's own other session" if own else f"a session that is {state}: {blocker}"
                    self.exceeded = self.exceeded or f"{query!r} waited {seconds:.0f} s for {behind}"
                    session.execute("SELECT pg_cancel_backend(%s)", [pid])
