"""The real app under uvicorn on a loopback port, and a client for it that sees HTTP and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any

import httpx
import psycopg
import uvicorn
from psycopg import sql
from psycopg.rows import dict_row
from uvicorn.lifespan.on import LifespanOn

from harness.api.budget import Exchange
from harness.api.in_flight import InFlight
from harness.api.transport import JudgingTransport
from harness.config import Config, load_object
from harness.databases.databases import Database
from harness.errors import HarnessError
from harness.findings import Finding, Verdict
from harness.postgres.server import Cluster
from harness.wire.observer import Observer


class Client(httpx.Client):
    """An HTTP client of the app. `seed` and `rows` are its operator's side: they go past the app, as an operator would.

    `server` is the app's Postgres, for tests that stop and start it; they are marked `own_cluster`.
    """

    def __init__(
        self, base_url: str, database: Database, watch: JudgingTransport, server: Cluster | None = None
    ) -> None:
        super().__init__(base_url=base_url, timeout=30, transport=watch, trust_env=False)
        self._operator = database.as_role("migrator")
        self._server = server
        self._watch = watch
        watch.warm_up(self.base_url)

    @property
    def last(self) -> Exchange:
        """What the last request did on the wire.

        Raises:
            HarnessError: before the first request.
        """
        if self._watch.last is None:
            raise HarnessError("api.last tells of the last request, and this test has made none yet.")
        return self._watch.last

    @property
    def watch(self) -> JudgingTransport:
        """The judge of its requests."""
        return self._watch

    @property
    def wire(self) -> Observer:
        """The observer between the app and its database."""
        return self._watch.wire

    @property
    def app_dsn(self) -> str:
        """Where the app connects, through the observer and as its own role: for another process of it."""
        return self.wire.dsn(self._operator.as_role("app").dsn)

    @property
    def verdict(self) -> Callable[[Sequence[Finding]], Verdict]:
        """Puts findings into the run's report, and judges them."""
        return self._watch.verdict

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

    @contextlib.contextmanager
    def operator(self) -> Iterator[psycopg.Connection]:
        """A connection past the app, as the role that owns the tables: to hold a lock, or to plant a trigger.

        It commits at the end of the block.
        """
        with self._operator.connect() as connection:
            yield connection

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


class AppServer:
    """One uvicorn on a loopback port for the whole run, in a thread; `host` puts a fresh app behind it.

    Starting and stopping uvicorn itself costs a fifth of a second, of which two thirds are its own pauses; hosting a
    fresh app behind a running one costs milliseconds.
    """

    def __init__(self) -> None:
        # With the protocol named, asyncio sets TCP_NODELAY on what it accepts; without, each answer waits for 40 ms.
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listener.bind(("127.0.0.1", 0))
        self._app: LifespanOn | None = None
        self.inflight = InFlight(self._dispatch)
        self._loop = asyncio.new_event_loop()
        self._server = uvicorn.Server(
            uvicorn.Config(self.inflight, interface="asgi3", log_config=None, access_log=False, lifespan="off")
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
        with self.run(app, config.app):
            yield self.base_url

    @contextlib.contextmanager
    def run(self, app: Any, name: str) -> Iterator[None]:
        """Any ASGI app behind `base_url`, from its lifespan's start to its end; `name` is what errors call it.

        Raises:
            HarnessError: when its lifespan fails or takes longer than 30 seconds.
        """
        settings = uvicorn.Config(app, log_config=None, lifespan="on")
        settings.load()
        lifespan = LifespanOn(settings)
        self._await(lifespan.startup(), name)
        if lifespan.should_exit:
            raise HarnessError(f"{name} did not start; its log is in the test's captured output.")
        self._app = lifespan
        try:
            yield
        finally:
            self._app = None
            self._await(lifespan.shutdown(), name)

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
