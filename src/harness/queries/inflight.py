"""The requests that an app is working on, its work after the answer included: an ASGI wrapper (ASGI 3.0, HTTP)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from threading import Condition
from time import perf_counter
from typing import Any

App = Callable[[Any, Any, Any], Awaitable[None]]


class InFlight:
    """Wraps an app. A request counts until the app is done with it: dependencies closed, background tasks run.

    `answered` is when the last answer began (`time.perf_counter()`), `route` the path template that it came from.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._running = 0
        self._change = Condition()
        self.answered: float | None = None
        self.route: str | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on."""

        async def note(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.answered = perf_counter()
            await send(message)

        with self._change:
            self._running += 1
        try:
            await self._app(scope, receive, note)
        finally:
            with self._change:
                self.route = getattr(scope.get("route"), "path", None)
                self._running -= 1
                self._change.notify_all()

    def wait(self, timeout: float = 10.0) -> bool:
        """Wait until no request is under way; whether that came true within `timeout` seconds."""
        with self._change:
            return self._change.wait_for(lambda: self._running == 0, timeout)
