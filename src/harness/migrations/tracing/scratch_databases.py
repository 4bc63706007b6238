"""The databases that a history is judged on: created, cloned and dropped on one server."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import psycopg
from alembic.script import Script
from sqlalchemy import URL

from harness.databases.privileges import read_privileges
from harness.migrations.history import Around, Direction, History
from harness.migrations.tracing.lock_probe import WaitLimit
from harness.postgres.address import Address
from harness.postgres.admin import Administrator
from harness.postgres.roles import Roles


@dataclass(slots=True)
class ScratchDatabases:
    """Databases of one server, named by `prefix` and a number; with `roles` the migrator runs the revisions."""

    administrator: Administrator
    roles: Roles | None = None
    prefix: str = "traced"
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1), repr=False)
    _made: set[str] = field(default_factory=set, repr=False)

    @property
    def server(self) -> Address:
        """The server as its superuser sees it."""
        return self.administrator.server

    def empty(self) -> str:
        """Create a database with the roles' privileges and no objects; return its name."""
        name = self._make("template0")
        if self.roles:
            self.roles.apply(self.server, name)
        return name

    def clone(self, template: str) -> str:
        """Clone a database once it has no session, with its privileges; return the clone's name."""
        self.administrator.wait_until_left(template)
        name = self._make(template)
        statements = read_privileges(self.administrator.session(), template).statements(name)
        if statements.as_string():
            self.administrator.run(statements)
        return name

    def drop(self, name: str) -> None:
        """Drop a database, with its sessions."""
        self.administrator.drop(name)
        self._made.discard(name)

    def close(self) -> None:
        """Drop every database that was created here."""
        for name in sorted(self._made):
            self.drop(name)

    def url(self, name: str) -> URL:
        """Return the URL of a database for the role that migrates."""
        return (self.roles.seen_by(self.server, "migrator") if self.roles else self.server).url(name)

    def connect(self, name: str) -> psycopg.Connection[Any]:
        """Open a superuser's session in autocommit."""
        return self.server.connect(name, autocommit=True)

    def step(
        self, history: History, script: Script, direction: Direction, name: str, around: Around | None = None
    ) -> None:
        """Run one step of a revision on a database, and cancel a statement that waits too long for a lock.

        Raises:
            Exception: any error of the revision.
        """
        with WaitLimit(self.server, name).enforced():
            history.step(script, direction, self.url(name), around)

    def end(self, name: str, pid: int) -> None:
        """End a session of a database, and wait until it is gone."""
        with self.connect(name) as session:
            session.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    def _make(self, template: str) -> str:
        name = f"{self.prefix}_{next(self._numbers)}"
        self.administrator.create(name, template)
        self._made.add(name)
        return name
