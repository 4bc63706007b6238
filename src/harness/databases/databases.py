"""Fresh databases: templates made once a run, and clones of them for the tests.

pytest-postgresql's janitor is not used here: each of its calls opens a connection, and a database that was in use a
moment ago makes it wait in steps of a second.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from select import select
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.pool import NullPool

from harness.alembic_config import check_history, upgrade
from harness.config import Config
from harness.databases.clones import Clone, Cloner, Template, install_wal_functions
from harness.databases.pool import Pool
from harness.databases.privileges import read_privileges
from harness.postgres.address import Address
from harness.postgres.admin import Administrator
from harness.postgres.roles import Roles
from harness.postgres.run_directory import wait_gone
from harness.postgres.server import Cluster

CLONES_ONLY = """\
databases cannot be reset between tests, so each was a new clone, which is slower: {}
  looked at: pg_walinspect, which reads what a test has written; PostgreSQL has it from 15 on
  remedy: install the contrib package of this PostgreSQL, or choose another one (python -m harness postgres)"""


@dataclass(slots=True)
class Database:
    """One database as one role sees it; `as_role` gives the same one to another.

    `server` is the server as the administrator sees it, `how` says where the database came from: cloned, reset, reused.
    """

    name: str
    server: Address
    roles: Roles
    role: str = "migrator"
    how: str = ""
    _engine: Engine | None = field(default=None, repr=False)
    _views: dict[str, Database] = field(default_factory=dict, repr=False)

    @property
    def address(self) -> Address:
        """The server as this role sees it."""
        return self.roles.seen_by(self.server, self.role)

    @property
    def dsn(self) -> str:
        """A libpq connection URI."""
        return self.address.dsn(self.name)

    @property
    def url(self) -> URL:
        """The same for SQLAlchemy's psycopg dialect."""
        return self.address.url(self.name)

    @property
    def engine(self) -> Engine:
        """A SQLAlchemy engine without a pool, made when first asked for."""
        if self._engine is None:
            self._engine = create_engine(self.url, poolclass=NullPool)
        return self._engine

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        """Open a psycopg connection; `options` are psycopg.connect's own."""
        return self.address.connect(self.name, **options)

    def as_role(self, role: str) -> Database:
        """Return this database as `superuser`, `migrator`, `app` or `readonly` sees it."""
        if role == self.role:
            return self
        return self._views.setdefault(role, Database(self.name, self.server, self.roles, role))

    def dispose(self) -> None:
        """Close the engines that were made here."""
        for view in (self, *self._views.values()):
            if view._engine:
                view._engine.dispose()


@dataclass(slots=True)
class Databases:
    """The databases of a run on one server; all that it makes there begins with `prefix`.

    `cluster` is the harness's own, if the server is: there databases are reset after a test; on a server that someone
    else runs, each is a new clone. With `alone`, for a cluster that serves a single test, nothing is made ahead.
    """

    server: Address
    config: Config
    roles: Roles
    prefix: str
    cluster: Cluster | None = None
    alone: bool = False
    note: str = field(default="", init=False)
    """Why no database is reset after a test, where it could be."""
    _templates: dict[bool, Template] = field(default_factory=dict, repr=False)
    _lent: dict[str, Clone] = field(default_factory=dict, repr=False)
    _pool: Pool | None = field(default=None, repr=False)

    def create(self, *, migrated: bool, unused: bool = False, connected: bool = False) -> Database:
        """Return a fresh database: at head, or with the roles' rights and nothing else.

        With `unused` no test had it before. With `connected` a session may be open on it, which `connect` gives out.

        Raises:
            HarnessError: when the disk is full.
        """
        template = self.template(migrated=migrated)
        template.opens_sessions = connected and self.pool.foreground.reads_wal
        clone = self.pool.foreground.clone(template) if self.alone else self.pool.acquire(template, unused=unused)
        if clone.session and not connected:
            _end(clone.session)
        self._lent[clone.name] = clone
        return Database(clone.name, self.server, self.roles, how=clone.how)

    def connect(self, database: Database) -> psycopg.Connection[Any]:
        """Return the session that was opened ahead on a database made `connected`, or a new one."""
        session = self._lent[database.name].session
        if session and select([session], [], [], 0)[0]:  # what can be read is that the server has ended it
            session.close()
        return session if session and not session.closed else database.connect()

    def drop(self, database: Database) -> None:
        """Take a database back, with the sessions that are still open on it."""
        clone = self._lent.pop(database.name)
        if self.alone:
            self.pool.foreground.drop(clone)
        else:
            self.pool.release(clone)

    def clear(self) -> None:
        """Drop every database that was made here."""
        self.close()
        administrator = self.pool.foreground.administrator
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY oid DESC"
        for (name,) in administrator.run(query, [f"{self.prefix}_"]).fetchall():
            administrator.drop(name)

    def close(self) -> None:
        """End the sessions of this object; the databases stay."""
        if self._pool:
            self._pool.close()
            self._pool.foreground.administrator.close()

    @property
    def failure(self) -> str:
        """The traceback of a background thread that crashed."""
        return self._pool.failure if self._pool else ""

    @property
    def pool(self) -> Pool:
        """The databases held ready, made when first asked for."""
        if self._pool is None:
            numbers = itertools.count(1)
            own = self.cluster.run.path if self.cluster else None
            foreground, resetter, cloner = (
                Cloner(Administrator(self.server, own), self.prefix, numbers) for _ in range(3)
            )
            if self.cluster and not self.alone:
                reason = install_wal_functions(foreground.administrator)
                self.note = CLONES_ONLY.format(reason) if reason else ""
                foreground.reads_wal = resetter.reads_wal = cloner.reads_wal = not reason
            self._pool = Pool(foreground, resetter, cloner)
        return self._pool

    def template(self, *, migrated: bool) -> Template:
        """Return a template, to which nobody can connect; it is made when first asked for and not there yet."""
        if migrated not in self._templates:
            name = f"{self.prefix}_{'head' if migrated else 'empty'}"
            administrator = self.pool.foreground.administrator
            exists = administrator.run("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if not exists:
                self._make(name, migrated=migrated)
            visitor = self.roles.seen_by(self.server, "migrator")
            template = Template(name, read_privileges(administrator.session(), name), visitor)
            if self._templates and not migrated:  # the roles' file changed no more for this one
                template.shared = self._templates[True].shared
            else:
                self.pool.foreground.save_shared_objects(template, changed=not exists)
                for other in self._templates.values():  # a migration may have changed a role
                    other.shared = template.shared
            self._templates[migrated] = template
        return self._templates[migrated]

    def _make(self, name: str, *, migrated: bool) -> None:
        if migrated:
            check_history(self.config)
        administrator = self.pool.foreground.administrator
        administrator.create(name, "template0")
        try:
            self.roles.apply(self.server, name)
            if migrated:
                upgrade(self.config, Database(name, self.server, self.roles).url)
            with self.server.connect(name) as warm:  # writes the relation cache's file, which clones start with
                warm.execute("SELECT 1")
            administrator.wait_until_left(name)
            administrator.execute("ALTER DATABASE {} ALLOW_CONNECTIONS false", name)
        except BaseException:
            administrator.drop(name)
            raise


def _end(session: psycopg.Connection[Any]) -> None:
    """Close a session and wait until it is gone: a test may count the sessions of its database."""
    pid = session.info.backend_pid
    session.close()
    wait_gone(pid, seconds=10)
