"""The requests that an app is working on, its work after the answer included: an ASGI wrapper (ASGI 3.0, HTTP)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from threading import Condition
from time import perf_counter
from typing import Any

log = logging.getLogger(__name__)

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
        """Pass a request on.

        An error that the app raises after its answer is whole is logged and goes no further: the server would close
        the connection for it, perhaps just when the client sends its next request there.
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
        """Wait until no request is under way; whether that came true within `timeout` seconds."""
        with self._change:
            return self._change.wait_for(lambda: self._running == 0, timeout)
