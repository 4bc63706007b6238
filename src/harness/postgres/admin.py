"""The administrator's session: creates and drops databases, and survives a restart of the server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from harness.errors import HarnessError
from harness.postgres.address import Address
from harness.postgres.run_directory import room_left

FILE_COPY = 150000
"""The version from which CREATE DATABASE takes a strategy; before, copying files is the only one."""

OVER = (psycopg.errors.AdminShutdown, psycopg.errors.CrashShutdown, psycopg.errors.CannotConnectNow)
"""The last errors of a session whose server stops."""


@dataclass(slots=True)
class Administrator:
    """A session on `server`, opened when first used. It belongs to one thread.

    `own` is the run's directory if the harness started the server, else None: there databases are copied by WAL, since
    copying files forces checkpoints, which would slow down the others on that server.
    """

    server: Address
    own: Path | None = None
    _session: psycopg.Connection[Any] | None = field(default=None, repr=False)

    def create(self, name: str, template: str) -> None:
        """Clone a database; its privileges and settings are not copied (manual, CREATE DATABASE)."""
        by_file = self.own and self.session().info.server_version >= FILE_COPY
        self.execute(f"CREATE DATABASE {{}} TEMPLATE {{}}{' STRATEGY FILE_COPY' if by_file else ''}", name, template)

    def drop(self, name: str) -> None:
        """Drop a database, with its sessions and prepared transactions."""
        drop = "DROP DATABASE IF EXISTS {} WITH (FORCE)"
        try:
            self.execute(drop, name)
        except (psycopg.errors.ObjectInUse, psycopg.errors.WrongObjectType):
            self._free(name)
            self.execute(drop, name)

    def wait_until_left(self, name: str) -> None:
        """Wait until a database has no session; CREATE DATABASE itself polls only every 100 ms."""
        query = sql.SQL("SELECT 1 FROM pg_stat_activity WHERE datname = {}").format(sql.Literal(name))
        deadline = time.monotonic() + 5
        while self.run(query).fetchone() and time.monotonic() < deadline:
            time.sleep(0.001)

    def execute(self, statement: str, *names: str) -> psycopg.Cursor[Any]:
        """Run a statement whose `{}` are replaced by `names`, quoted."""
        return self.run(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def run(self, query: sql.Composed | str, values: Sequence[Any] | None = None) -> psycopg.Cursor[Any]:
        """Run a statement, and again if the server was restarted since the last one.

        Raises:
            HarnessError: when the disk under the server is full, with the path and its space.
        """
        try:
            return self._run(query, values)
        except psycopg.errors.DiskFull as error:
            raise disk_full(self.own, error) from error

    def session(self) -> psycopg.Connection[Any]:
        """Return the session, opened if need be."""
        if self._session is None or self._is_over():
            self._session = self.server.connect(
                autocommit=True, prepare_threshold=None, options="-c synchronous_commit=on"
            )
        return self._session

    def close(self) -> None:
        """End the session."""
        if self._session:
            self._session.close()

    def _run(self, query: sql.Composed | str, values: Sequence[Any] | None) -> psycopg.Cursor[Any]:
        text = query.as_string(self.session()) if isinstance(query, sql.Composed) else query
        try:
            return self.session().execute(text.encode(), values)
        except psycopg.OperationalError as error:
            if not (self._is_over() or isinstance(error, OVER)):
                raise
            self.close()
            return self.session().execute(text.encode(), values)

    def _is_over(self) -> bool:
        return self._session is not None and (self._session.closed or self._session.broken)

    def _free(self, name: str) -> None:
        """Undo what prevents dropping a database: IS_TEMPLATE, and prepared transactions."""
        self.execute("ALTER DATABASE {} WITH IS_TEMPLATE false ALLOW_CONNECTIONS true CONNECTION LIMIT -1", name)
        prepared = sql.SQL("SELECT gid FROM pg_prepared_xacts WHERE database = {}").format(sql.Literal(name))
        with self.server.connect(name, autocommit=True) as inside:
            for (gid,) in inside.execute(prepared).fetchall():
                inside.execute(sql.SQL("ROLLBACK PREPARED {}").format(sql.Literal(gid)))


def cause_full(error: BaseException | None) -> BaseException | None:
    """Return the server's own error that its disk is full, if one is behind `error`."""
    while error and getattr(error, "sqlstate", None) != psycopg.errors.DiskFull.sqlstate:
        error = error.__cause__ or error.__context__
    return error


def disk_full(place: Path | None, error: BaseException) -> HarnessError:
    """Return the error for a full disk under the server; `place` is the run's directory, None on another's server."""
    if place is None:
        return HarnessError(f"the disk of the server is full: {error}", remedy="free some space there")
    return HarnessError(
        f"the disk under the test server is full: {error}",
        looked_at=room_left(place),
        remedy="free some space there, or set TMPDIR to a directory that has more (a container's /dev/shm grows with "
        "--shm-size)",
    )
