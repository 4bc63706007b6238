"""The real app under uvicorn on a loopback port, in a thread of the tests' process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine, Iterator
from typing import Any
from weakref import WeakSet

import uvicorn
from sqlalchemy import Connection, Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine
from uvicorn.lifespan.on import LifespanOn

from harness.api.application import environment, make_app
from harness.api.in_flight import InFlight
from harness.config import Config, load_object
from harness.errors import HarnessError


class AppServer:
    """One uvicorn on a loopback port for the whole run, in a thread; `host` puts a fresh app behind it.

    Starting and stopping uvicorn takes 200 ms, two thirds of them pauses; hosting an app behind a running one takes a
    few.
    """

    def __init__(self, fixed_port: int = 0) -> None:
        self._fixed_port = fixed_port
        self._engines = WeakSet[Engine]()
        event.listen(Engine, "engine_connect", self._note_engine)
        # If the protocol is named, asyncio sets TCP_NODELAY on accepted sockets; else each answer is delayed by 40 ms.
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listener.bind(("127.0.0.1", 0))
        self._app: LifespanOn | None = None
        self.inflight = InFlight(self._dispatch)
        self._loop = asyncio.new_event_loop()
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.inflight,
                interface="asgi3",
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=1,  # for sockets that stay open
            )
        )
        self._thread = threading.Thread(target=self._run, name="uvicorn", daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        """The base URL of the hosted app."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @contextlib.contextmanager
    def host(self, config: Config, database_url: str) -> Iterator[Any]:
        """Run the project's app on `database_url`, from its lifespan's start to its end; yield the app.

        Raises:
            HarnessError: when it cannot be made, or its lifespan fails or takes longer than 30 seconds.
        """
        load_object(config.app)  # its modules are imported with the run's fixed address, which outlives this app
        with environment(config, database_url):
            app = make_app(config)
            try:
                with self.run(app, config.app), _same_overrides(app):
                    yield app
            finally:
                self._renew_pools()

    @contextlib.contextmanager
    def run(self, app: Any, name: str) -> Iterator[None]:
        """Run an ASGI app behind `base_url`, from its lifespan's start to its end; errors call it `name`.

        Raises:
            HarnessError: when its lifespan fails or takes longer than 30 seconds.
        """
        settings = uvicorn.Config(app, log_config=None, lifespan="on")
        settings.load()
        lifespan = LifespanOn(settings)
        self._await(lifespan.startup(), name)
        if lifespan.should_exit:
            raise HarnessError(f"{name} did not start", remedy="read its log, in the test's captured output")
        before, self._app = self._app, lifespan
        try:
            yield
        finally:
            self.inflight.drain()
            self._app = before
            self._await(lifespan.shutdown(), name)

    def close(self) -> None:
        """End uvicorn and its thread."""
        event.remove(Engine, "engine_connect", self._note_engine)
        self._server.should_exit = True
        self._thread.join(timeout=30)
        self._listener.close()

    def _note_engine(self, connection: Connection) -> None:
        self._engines.add(connection.engine)

    def _renew_pools(self) -> None:
        """Close the connections of engines at the fixed port, which outlive the app: the next database is another."""
        for engine in [each for each in self._engines if self._fixed_port and each.url.port == self._fixed_port]:
            if engine.dialect.is_async:
                self._await(AsyncEngine(engine).dispose(), str(engine))
            else:
                engine.dispose()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:  # it cancels what an interrupted test has left
            runner.run(self._server.serve(sockets=[self._listener]))

    def _await(self, step: Coroutine[Any, Any, None], name: str) -> None:
        """Run a step of an app's lifespan on uvicorn's loop."""
        try:
            asyncio.run_coroutine_threadsafe(step, self._loop).result(timeout=30)
        except TimeoutError as error:
            raise HarnessError(
                f"the lifespan of {name} did not end a step within 30 seconds",
                remedy="look for what its start or its end waits for",
            ) from error

    async def _dispatch(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request to the app of the current test."""
        if self._app is None:
            raise HarnessError(
                "a request came when no test had an app: its client outlived its test",
                remedy="close each client in the test that makes it",
            )
        scope["state"] = dict(self._app.state)
        await self._app.config.loaded_app(scope, receive, send)


@contextlib.contextmanager
def _same_overrides(app: Any) -> Iterator[None]:
    """Restore FastAPI's `dependency_overrides` afterwards: an app that no factory makes serves the next test too."""
    overrides = getattr(app, "dependency_overrides", {})
    before = dict(overrides)
    try:
        yield
    finally:
        overrides.clear()
        overrides.update(before)
