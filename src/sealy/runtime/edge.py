"""What is refused before any route is looked for, and what every answer carries."""

from __future__ import annotations

import hmac
import re
from typing import Any

from sealy.api.problems import problem
from sealy.runtime.observe import App

OPEN = ("/health", "/metrics")
"""Paths that need no edge key: a platform's probe has none, and /metrics refuses whatever came through a proxy."""

_ADDRESS = re.compile(rb"[0-9a-fA-F.:]{2,45}")


class Door:
    """ASGI middleware: the edge key, the size of a body that is announced, and headers that keep browsers careful.

    With a key only the edge that knows it gets in, and the address that it names in X-Client-IP is the client's; from
    anyone else that header means nothing.
    """

    def __init__(self, app: App, *, edge_key: str | None, largest_body: int) -> None:
        self._app = app
        self._edge_key = edge_key.encode() if edge_key is not None else None
        self._largest_body = largest_body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guard(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _careful(message["headers"])}
            await send(message)

        headers = dict(scope["headers"])
        app: Any = self._app
        if self._edge_key is not None:
            if hmac.compare_digest(headers.get(b"x-edge-key", b""), self._edge_key):
                _believe(scope, headers)
            elif scope["path"] not in OPEN:
                app = problem(403, "requests come in by the edge only")
        announced = headers.get(b"content-length", b"0")
        if app is self._app and announced.isdigit() and int(announced) > self._largest_body:
            app = problem(413, f"a body of more than {self._largest_body} bytes is not read")
        await app(scope, receive, guard)


def _believe(scope: Any, headers: dict[bytes, bytes]) -> None:
    """Take the client's address from the edge, when it is one."""
    address = headers.get(b"x-client-ip", b"")
    if _ADDRESS.fullmatch(address):
        scope["client"] = (address.decode(), 0)


def _careful(headers: Any) -> list[tuple[bytes, bytes]]:
    """No guessing of types, and no copy in any cache unless the route allows it."""
    added = [(b"x-content-type-options", b"nosniff")]
    if not any(name == b"cache-control" for name, _ in headers):
        added.append((b"cache-control", b"no-store"))
    return [*headers, *added]
