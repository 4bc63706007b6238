"""The ways to a fresh database that `bench.py` compares, each as one context: ask, first answer, hand back."""

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

Way = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
"""Yields a new connection to a fresh database; the rest of the context hands it back."""

FIRST = "SELECT count(*) FROM t1"
"""The question whose answer ends the set-up."""

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
def scratch(prefix: str, place: Path | None = None) -> Iterator[str]:
    """A temporary directory in `place` that is gone afterwards, also when its removal is interrupted."""
    name = tempfile.mkdtemp(prefix=prefix, dir=place)
    try:
        yield name
    finally:
        try:
            shutil.rmtree(name)
        except BaseException:
            shutil.rmtree(name, ignore_errors=True)
            raise


def write_project(root: Path, roles: Path, tables: int, major: int) -> Config:
    """A project whose migrations make `tables` tables, each with an identity and two indexes."""
    for name, text in PROJECT.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        filled = dedent(text).replace("{tables}", str(tables)).replace("{major}", str(major))
        path.write_text(filled, encoding="utf-8")
    (root / "roles.sql").write_bytes(roles.read_bytes())
    return load_config(root)


def ours(databases: Databases) -> Way:
    """The fixture `connection`."""

    @contextlib.contextmanager
    def way() -> Iterator[psycopg.Connection[Any]]:
        fresh = databases.create(migrated=True, connected=True)
        with contextlib.closing(databases.connect(fresh)) as connection:
            connection.autocommit = True
            yield connection
        databases.drop(fresh)

    return way


def rolled_back(databases: Databases) -> Way:
    """A new connection to a database that stays, and a transaction that is rolled back: the floor."""
    stays = databases.create(migrated=True)

    @contextlib.contextmanager
    def way() -> Iterator[psycopg.Connection[Any]]:
        with contextlib.closing(stays.connect()) as connection:
            yield connection
            connection.rollback()

    return way


@contextlib.contextmanager
def peer(installation: Installation, config: Config, place: Path, *, loaded: bool) -> Iterator[Way]:
    """pytest-postgresql's `postgresql` fixture, as its factories write it, on a server of its own in `place`.

    With `loaded` its template is migrated once, as its documentation recommends; else each test migrates.
    """
    with scratch("peer-", place) as directory:
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


def _postgresql(executor: PostgreSQLExecutor, where: dict[str, Any], config: Config | None) -> Way:
    @contextlib.contextmanager
    def way() -> Iterator[psycopg.Connection[Any]]:
        with DatabaseJanitor(**where, dbname=executor.dbname, template_dbname=executor.template_dbname):
            if config:
                _loader(config)(**where, dbname=executor.dbname)
            connection = psycopg.connect(**where, dbname=executor.dbname)
            try:
                yield connection
            finally:
                connection.close()

    return way


@contextlib.contextmanager
def server_each(installation: Installation, config: Config, place: Path) -> Iterator[Way]:
    """testing.postgresql as its documentation recommends: a server for each test, from a cluster migrated once.

    Raises:
        ModuleNotFoundError: where it is not installed; it is no dependency of this project.
    """
    postgresql: Any = importlib.import_module("testing.postgresql")
    programs = {name: installation.program(name) for name in ("initdb", "postgres")}
    with scratch("peer-", place) as directory:
        here = mock.patch.object(tempfile, "tempdir", directory)

        def migrate(server: Any) -> None:
            _loader(config)(**_where(server), dbname="test")

        with here:
            factory = postgresql.PostgresqlFactory(cache_initialized_db=True, on_initialized=migrate, **programs)

        @contextlib.contextmanager
        def way() -> Iterator[psycopg.Connection[Any]]:
            with here, factory() as server, contextlib.closing(psycopg.connect(**_where(server), dbname="test")) as own:
                own.autocommit = True
                yield own

        try:
            yield way
        finally:
            factory.clear_cache()


def _where(server: Any) -> dict[str, Any]:
    return {name: server.dsn()[name] for name in ("host", "port", "user")}


def _loader(config: Config) -> Callable[..., None]:
    """`alembic upgrade head` in the shape that pytest-postgresql loads."""

    def load(host: str, port: int, user: str, dbname: str, **_: Any) -> None:
        upgrade(config, URL.create("postgresql+psycopg", username=user, host=host, port=port, database=dbname))

    return load


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
