"""The requests that an app works on, including its work after the answer: an ASGI wrapper (ASGI 3.0, HTTP)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from threading import Condition
from time import perf_counter
from typing import Any

log = logging.getLogger(__name__)

App = Callable[[Any, Any, Any], Awaitable[None]]


class InFlight:
    """Wraps an app. A request is in flight until its dependencies are closed and its background tasks have run.

    `answered` is when the last answer began (`time.perf_counter()`), `route` the path template of the last request.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._running = 0
        self._change = Condition()
        self.answered: float | None = None
        self.route: str | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request to the app.

        An error after a complete answer is logged and not raised: uvicorn would close the connection, perhaps while the
        client sends its next request.
        """
        whole = False

        async def note(message: Any) -> None:
            nonlocal whole
            if message["type"] == "http.response.start":
                self.answered = perf_counter()
            await send(message)
            whole = message["type"] == "http.response.body" and not message.get("more_body", False)

        with self._change:
            self._running += 1
        try:
            await self._app(scope, receive, note)
        except Exception:
            if not whole:
                raise
            log.exception("the app failed on %s %s", scope["method"], scope["path"])
        finally:
            with self._change:
                self.route = getattr(scope.get("route"), "path", None)
                self._running -= 1
                self._change.notify_all()

    def wait(self, timeout: float = 10.0) -> bool:
        """Wait until no request is in flight; return False if one still is after `timeout` seconds."""
        with self._change:
            return self._change.wait_for(lambda: self._running == 0, timeout)
