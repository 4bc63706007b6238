"""Fresh databases: templates made once a run, and clones of them for the tests.

pytest-postgresql's janitor is not used here: each of its calls opens a connection of its own, and a database closed a
moment ago makes it wait in steps of a second.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.pool import NullPool

from harness.config import Config
from harness.migrate import upgrade
from harness.postgres.address import Address
from harness.postgres.roles import Roles


@dataclass(slots=True)
class Database:
    """One database as one role sees it; `as_role` gives the same one to another."""

    name: str
    server: Address
    roles: Roles
    role: str = "migrator"
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
        """A new psycopg connection; `options` are psycopg.connect's own."""
        return self.address.connect(self.name, **options)

    def as_role(self, role: str) -> Database:
        """This database as `superuser`, `migrator`, `app` or `readonly` sees it."""
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
    """The databases of a run on one server; all that it makes there begins with `prefix`."""

    server: Address
    config: Config
    roles: Roles
    prefix: str
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1), repr=False)
    _templates: dict[bool, str] = field(default_factory=dict, repr=False)
    _made: list[str] = field(default_factory=list, repr=False)
    _admin: psycopg.Connection[Any] | None = field(default=None, repr=False)

    def create(self, *, migrated: bool) -> Database:
        """A new database: at head, or with the roles' rights and nothing else."""
        name = f"{self.prefix}_{next(self._numbers)}"
        self._clone(name, self._template(migrated=migrated))
        return Database(name, self.server, self.roles)

    def drop(self, database: Database) -> None:
        """Drop a database, with whoever is still connected to it."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", database.name)
        self._made.remove(database.name)

    def clear(self) -> None:
        """Drop all that was made here."""
        for name in reversed(self._made):
            self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def close(self) -> None:
        """End the administrator's session."""
        if self._admin:
            self._admin.close()

    def _template(self, *, migrated: bool) -> str:
        """The name of a template, made when first asked for."""
        if migrated not in self._templates:
            name = f"{self.prefix}_{'head' if migrated else 'empty'}"
            if migrated:
                self._clone(name, self._template(migrated=False))
                upgrade(self.config, Database(name, self.server, self.roles).url)
            else:
                self._create(name, "template0")
                self.roles.apply(self.server, name)
            self._templates[migrated] = name
        return self._templates[migrated]

    def _create(self, name: str, template: str) -> None:
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        self._made.append(name)

    def _clone(self, name: str, template: str) -> None:
        """Copy a template, and the rights on it, which CREATE DATABASE leaves behind."""
        self._create(name, template)
        self.roles.apply(self.server, name)

    def _execute(self, statement: str, *names: str) -> None:
        query = sql.SQL(statement).format(*map(sql.Identifier, names))
        try:
            self._session().execute(query)
        except psycopg.OperationalError:
            if not self._session_is_over():
                raise
            self._session().execute(query)  # the server was stopped and started since

    def _session(self) -> psycopg.Connection[Any]:
        if self._admin is None or self._session_is_over():
            self._admin = self.server.connect(autocommit=True)
        return self._admin

    def _session_is_over(self) -> bool:
        return self._admin is not None and (self._admin.closed or self._admin.broken)
