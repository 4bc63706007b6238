"""The real app under uvicorn on a loopback port, and a client for it that sees HTTP and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from typing import Any

import httpx
import uvicorn
from psycopg import sql
from psycopg.rows import dict_row
from uvicorn.lifespan.on import LifespanOn

from harness.config import Config, HarnessError, load_object
from harness.postgres.databases import Database
from harness.postgres.server import Cluster


class Client(httpx.Client):
    """An HTTP client of the app. `seed` and `rows` are its operator's side: they go past the app, as an operator would.

    `server` is the app's Postgres, for tests that stop and start it; they are marked `own_cluster`.
    """

    def __init__(self, base_url: str, database: Database, server: Cluster | None = None) -> None:
        no_certificates = ssl.SSLContext(
            ssl.PROTOCOL_TLS_CLIENT
        )  # plain HTTP: reading the system's costs 50 ms a client
        super().__init__(base_url=base_url, timeout=30, verify=no_certificates, trust_env=False)
        self._operator = database.as_role("migrator")
        self._server = server

    @property
    def server(self) -> Cluster:
        """The cluster that this app alone uses.

        Raises:
            HarnessError: in a test without the marker `own_cluster`.
        """
        if self._server is None:
            raise HarnessError(
                "api.server is the run's shared cluster here: mark the test with own_cluster to stop it."
            )
        return self._server

    def seed(self, table: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Insert rows, all with the same columns; returns them with what the database added."""
        if not rows:
            return []
        columns = list(rows[0])
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING *").format(
            sql.Identifier(*table.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(map(sql.Placeholder, columns)),
        )
        with self._operator.connect(row_factory=dict_row) as connection, connection.cursor() as cursor:
            cursor.executemany(statement, rows, returning=True)
            return [row for result in cursor.results() for row in result.fetchall()]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table, by its first column."""
        statement = sql.SQL("SELECT * FROM {} ORDER BY 1").format(sql.Identifier(*table.split(".")))
        with self._operator.connect(row_factory=dict_row) as connection:
            return connection.execute(statement).fetchall()


class Service:
    """One uvicorn on a loopback port for the whole run, in a thread; `host` puts a fresh app behind it.

    Starting and stopping uvicorn itself costs a fifth of a second, of which two thirds are its own pauses; hosting a
    fresh app behind a running one costs milliseconds.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._app: LifespanOn | None = None
        self._loop = asyncio.new_event_loop()
        self._server = uvicorn.Server(
            uvicorn.Config(self._dispatch, interface="asgi3", log_config=None, access_log=False, lifespan="off")
        )
        self._thread = threading.Thread(target=self._run, name="uvicorn", daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        """Where the hosted app answers."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @contextlib.contextmanager
    def host(self, config: Config, database_url: str) -> Iterator[str]:
        """The project's app on `database_url`, from its lifespan's start to its end; yields its base URL.

        Raises:
            HarnessError: when its lifespan fails or takes longer than 30 seconds.
        """
        app = load_object(config.app)(load_object(config.settings)(database_url=database_url))
        settings = uvicorn.Config(app, log_config=None, lifespan="on")
        settings.load()
        lifespan = LifespanOn(settings)
        self._await(lifespan.startup(), config.app)
        if lifespan.should_exit:
            raise HarnessError(f"{config.app} did not start; its log is in the test's captured output.")
        self._app = lifespan
        try:
            yield self.base_url
        finally:
            self._app = None
            self._await(lifespan.shutdown(), config.app)

    def close(self) -> None:
        """End uvicorn and its thread."""
        self._server.should_exit = True
        self._thread.join(timeout=30)
        self._listener.close()

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._server.serve(sockets=[self._listener]))

    def _await(self, step: Coroutine[Any, Any, None], name: str) -> None:
        """Run a step of an app's lifespan on uvicorn's loop."""
        try:
            asyncio.run_coroutine_threadsafe(step, self._loop).result(timeout=30)
        except TimeoutError as error:
            raise HarnessError(f"The lifespan of {name} did not end a step within 30 seconds.") from error

    async def _dispatch(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand a request to the app of the present test."""
        if self._app is None:
            raise HarnessError("A request came when no test had an app: a client outlived its test.")
        scope["state"] = dict(self._app.state)
        await self._app.config.loaded_app(scope, receive, send)
