"""The contenders of `bench.py`: each is a context that gives a connection to a fresh database."""

from __future__ import annotations

import contextlib
import importlib
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from textwrap import dedent
from typing import Any
from unittest import mock

import psycopg
from pytest_postgresql.executors import PostgreSQLExecutor
from pytest_postgresql.janitor import DatabaseJanitor
from sqlalchemy import URL

from harness.alembic_config import upgrade
from harness.config import Config, load_config
from harness.databases.databases import Databases
from harness.postgres.installations import Installation

Contender = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
"""Gives a new connection to a fresh database, and takes the database back on exit."""

PROJECT = {
    "pyproject.toml": """
        [tool.harness]
        app = "bench:app"
        settings = "bench:settings"
        metadata = "bench:metadata"
        migrations = "migrations"
        roles = "roles.sql"
        role-prefix = "bench"
        database-env = "BENCH_DATABASE_URL"
        postgres = {major}
        supported = [{major}]

        [tool.alembic]
        script_location = "%(here)s/migrations"
        """,
    "migrations/env.py": """
        from alembic import context

        context.configure(connection=context.config.attributes["connection"])
        with context.begin_transaction():
            context.run_migrations()
        """,
    "migrations/script.py.mako": "",
    "migrations/versions/0001_tables.py": """
        from alembic import op

        revision = "0001"
        down_revision = None


        def upgrade():
            for number in range(1, {tables} + 1):
                op.execute(
                    f"CREATE TABLE t{number} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
                    "name text NOT NULL, parent bigint, at timestamptz NOT NULL DEFAULT now())"
                )
                op.execute(f"CREATE INDEX ON t{number} (parent)")
        """,
}


@contextlib.contextmanager
def scratch_directory(prefix: str, place: Path | None = None) -> Iterator[str]:
    """Create a temporary directory in `place`, and remove it on exit, even if the removal is interrupted."""
    name = tempfile.mkdtemp(prefix=prefix, dir=place)
    try:
        yield name
    finally:
        try:
            shutil.rmtree(name)
        finally:
            shutil.rmtree(name, ignore_errors=True)


def write_project(root: Path, roles: Path, tables: int, major: int) -> Config:
    """Write a project whose migration creates `tables` tables, each with an identity and two indexes."""
    for name, text in PROJECT.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        filled = dedent(text).replace("{tables}", str(tables)).replace("{major}", str(major))
        path.write_text(filled, encoding="utf-8")
    (root / "roles.sql").write_bytes(roles.read_bytes())
    return load_config(root)


def ours(databases: Databases) -> Contender:
    """Return the fixture `connection`."""

    @contextlib.contextmanager
    def connect() -> Iterator[psycopg.Connection[Any]]:
        fresh = databases.create(migrated=True, connected=True)
        with contextlib.closing(databases.connect(fresh)) as connection:
            connection.autocommit = True
            yield connection
        databases.drop(fresh)

    return connect


def rolled_back(databases: Databases) -> Contender:
    """Return a new connection to one database, with a transaction that is rolled back: the least that a test costs."""
    shared = databases.create(migrated=True)

    @contextlib.contextmanager
    def connect() -> Iterator[psycopg.Connection[Any]]:
        with contextlib.closing(shared.connect()) as connection:
            yield connection
            connection.rollback()

    return connect


@contextlib.contextmanager
def pytest_postgresql(installation: Installation, config: Config, place: Path, *, loaded: bool) -> Iterator[Contender]:
    """Give pytest-postgresql's fixture `postgresql`, as its factories define it, on its own server in `place`.

    With `loaded` its template is migrated once, as its documentation recommends; otherwise each test migrates.
    """
    with scratch_directory("peer-", place) as directory:
        executor = PostgreSQLExecutor(
            executable=installation.program("pg_ctl"),
            host="127.0.0.1",
            port=_free_port(),
            datadir=f"{directory}/data",
            unixsocketdir=directory,
            logfile=f"{directory}/log",
            startparams="-w",
            dbname="tests",
        )
        with executor:
            executor.wait_for_postgres()
            where: dict[str, Any] = {"user": executor.user, "host": executor.host, "port": executor.port}
            template = DatabaseJanitor(**where, dbname=executor.template_dbname, as_template=True)
            with template:
                if loaded:
                    template.load(_loader(config))
                yield _postgresql(executor, where, config if not loaded else None)


def _postgresql(executor: PostgreSQLExecutor, where: dict[str, Any], config: Config | None) -> Contender:
    @contextlib.contextmanager
    def connect() -> Iterator[psycopg.Connection[Any]]:
        with DatabaseJanitor(**where, dbname=executor.dbname, template_dbname=executor.template_dbname):
            if config:
                _loader(config)(**where, dbname=executor.dbname)
            connection = psycopg.connect(**where, dbname=executor.dbname)
            try:
                yield connection
            finally:
                connection.close()

    return connect


@contextlib.contextmanager
def testing_postgresql(installation: Installation, config: Config, place: Path) -> Iterator[Contender]:
    """Give testing.postgresql as its documentation recommends: a server per test, from a cluster migrated once.

    Raises:
        ModuleNotFoundError: when it is not installed; this project does not depend on it.
    """
    postgresql: Any = importlib.import_module("testing.postgresql")
    programs = {name: installation.program(name) for name in ("initdb", "postgres")}
    with scratch_directory("peer-", place) as directory:
        here = mock.patch.object(tempfile, "tempdir", directory)

        def migrate(server: Any) -> None:
            _loader(config)(**_where(server), dbname="test")

        with here:
            factory = postgresql.PostgresqlFactory(cache_initialized_db=True, on_initialized=migrate, **programs)

        @contextlib.contextmanager
        def connect() -> Iterator[psycopg.Connection[Any]]:
            with here, factory() as server, contextlib.closing(psycopg.connect(**_where(server), dbname="test")) as own:
                own.autocommit = True
                yield own

        try:
            yield connect
        finally:
            factory.clear_cache()


def _where(server: Any) -> dict[str, Any]:
    return {name: server.dsn()[name] for name in ("host", "port", "user")}


def _loader(config: Config) -> Callable[..., None]:
    """Return `alembic upgrade head` as a function that pytest-postgresql can load."""

    def load(host: str, port: int, user: str, dbname: str, **_: Any) -> None:
        upgrade(config, URL.create("postgresql+psycopg", username=user, host=host, port=port, database=dbname))

    return load


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
