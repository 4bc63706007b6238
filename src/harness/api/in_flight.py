"""What an app works on, including its work after the answer: an ASGI wrapper (ASGI 3.0, HTTP and WebSocket)."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

from starlette.background import BackgroundTask

from harness.api.routes.prefixes import template
from harness.frames import shorten

log = logging.getLogger(__name__)

App = Callable[[Any, Any, Any], Awaitable[None]]

EVENTS = b"text/event-stream"


class Work:
    """One HTTP request or WebSocket. Moments are `time.perf_counter()` seconds.

    `answered` is when the answer began and `ended` when its last part was sent, None before. Of an event stream,
    `parts` is when the start and each part were sent and when the client left; `tasks` is when each background task
    began, with its end. `finished` is set when the app has returned: then dependencies are closed and background tasks
    have run; `error` is what it raised. `alone` is False if the app worked on something else at the same time whose
    client had not `left`.
    """

    def __init__(self, scope: Any) -> None:
        self._scope = scope
        self.answered: float | None = None
        self.ended: float | None = None
        self.parts: list[float] = []
        self.tasks: dict[float, float] = {}
        self.alone = True
        self.left = False
        self.error: BaseException | None = None
        self.finished = Event()
        self._events = False

    @property
    def route(self) -> str | None:
        """The path template of the request's route; None if it has none."""
        return template(self._scope)

    def sends(self, message: Any) -> None:
        """Note a message of the answer."""
        now = perf_counter()
        if message["type"] == "http.response.start":
            self.answered = now
            self._events = any(name == b"content-type" and EVENTS in value for name, value in message["headers"])
            self.parts += [now] if self._events else []
        elif message["type"] == "http.response.body":
            if self._events and message.get("body"):
                self.parts.append(now)
            if not message.get("more_body", False):
                self.ended = now

    def leave(self) -> None:
        """Note that the client does not wait any longer."""
        self.left = True
        self.parts += [perf_counter()] if self._events else []


_current: ContextVar[Work | None] = ContextVar("harness_work", default=None)


class InFlight:
    """Wraps an app; `last` is the HTTP request that began last."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._running: set[Work] = set()
        self.last: Work | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request or a WebSocket to the app.

        An error after a complete answer is logged, with the app's own frames, and not raised: uvicorn would close the
        connection, perhaps while the client sends its next request.
        """
        work = self._begin(scope)

        async def note(message: Any) -> None:
            work.sends(message)
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception as error:
            work.error = error
            if work.ended is None:
                raise
            shorten(error, Path.cwd())
            log.exception("the app failed on %s %s", scope["method"], scope["path"])
        finally:
            self._running.discard(work)
            work.finished.set()

    def _begin(self, scope: Any) -> Work:
        work = Work(scope)
        for other in self._running:
            if not other.left:
                work.alone = other.alone = False
        self._running.add(work)
        if scope["type"] == "http":
            self.last = work
        _current.set(work)
        return work

    def drain(self, timeout: float = 1.0) -> None:
        """Wait until the app has returned from everything, or `timeout` seconds: its lifespan must not end before."""
        deadline = perf_counter() + timeout
        for work in list(self._running):
            work.finished.wait(max(0.0, deadline - perf_counter()))
        self._running.clear()


@contextmanager
def observed_tasks() -> Iterator[None]:
    """Note, in each request, when its background tasks begin and end: ASGI does not distinguish them.

    A dependency with `yield` also ends after the answer, but its work belongs to the answer.
    """
    run = BackgroundTask.__call__
    if run.__module__ == __name__:  # a run of pytest inside another one
        yield
        return

    async def noted(task: BackgroundTask) -> None:
        work, begun = _current.get() or Work({}), perf_counter()
        work.tasks[begun] = math.inf
        try:
            await run(task)
        finally:
            work.tasks[begun] = perf_counter()

    BackgroundTask.__call__ = noted  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        BackgroundTask.__call__ = run  # type: ignore[method-assign]
