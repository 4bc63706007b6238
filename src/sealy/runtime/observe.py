"""What each request asks of the database, counted while it runs and passed to the log and the metrics at its end."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from time import perf_counter
from typing import Any

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Mount, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sealy.settings import Settings

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CLIENT_GONE = 499  # no standard has a status for a client that left before the response; nginx logs this one

_REQUEST_ID = re.compile(r"[\w\-.:]{1,64}", re.ASCII)
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_CLOUD_TRACE = re.compile(r"(?!0{32})([0-9a-f]{32})(?:/(\d{1,20}))?(?:;o=([01]))?", re.IGNORECASE)


class Observed:
    """A request: its id, its trace (hexadecimal, empty if no valid one is given), and its cost so far in seconds."""

    def __init__(self, scope: Scope, observe: "Observe") -> None:
        self.scope, self.observe, self.begun = scope, observe, perf_counter()
        self.status, self.done = CLIENT_GONE, False
        self.queries, self.query_seconds, self.seconds = 0, 0.0, 0.0
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get(b"x-request-id", "")
        self.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        self.trace, self.span, self.sampled = _trace(headers)
        self.agent = headers.get(b"user-agent", "")

    @property
    def method(self) -> str:
        """The method, or `<other>` for one that HTTP does not define: clients cannot add labels."""
        return str(self.scope["method"]) if self.scope["method"] in METHODS else "<other>"

    @property
    def route(self) -> str:
        """The path template with the prefixes of its routers and mounts, or `<none>` for a path that has no route."""
        route, included = self.scope.get("route"), self.scope.get("fastapi", {}).get("effective_route_context")
        found: Any = included if getattr(included, "original_route", None) is route else route
        root = self.scope.get("root_path", "")
        mount = root.removeprefix(self.scope.get("app_root_path", root)) + "/"
        prefix = next((template for pattern, template in self.observe.mounts if pattern.match(mount)), "")
        return f"{prefix}{found.path_format}" if hasattr(found, "path_format") else "<none>"


current: ContextVar[Observed | None] = ContextVar("current", default=None)
"""The request that is being handled; the threads that handle it see the same object."""
Note = Callable[[Observed], None]


class Observe:
    """ASGI middleware, the outermost: adds headers to each response, and calls `notes` before its last part is sent."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute], notes: Sequence[Note], settings: Settings) -> None:
        self.app, self.notes, self.settings = app, notes, settings
        self.mounts = list(_mounts(routes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        current.set(request := Observed(scope, self))  # never reset: later lines of the server's log belong to it too

        async def send_observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status = message["status"]
                message = {**message, "headers": [*message["headers"], *self._headers(request, message["headers"])]}
            elif message["type"] == "http.response.body" and not message.get("more_body"):
                self._finish(request)
            await send(message)

        try:
            await self.app(scope, receive, send_observed)
        finally:
            self._finish(request)

    def _headers(self, request: Observed, given: Sequence[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
        yield b"x-request-id", request.request_id.encode()
        yield b"x-content-type-options", b"nosniff"
        if not any(name == b"cache-control" for name, _ in given):
            yield b"cache-control", b"no-store"
        if self.settings.server_timing:
            app, db = (perf_counter() - request.begun) * 1e3, request.query_seconds * 1e3
            yield b"server-timing", f'app;dur={app:.1f}, db;dur={db:.1f};desc="queries: {request.queries}"'.encode()

    def _finish(self, request: Observed) -> None:
        if not request.done:
            request.done, request.seconds = True, perf_counter() - request.begun
            for note in self.notes:
                note(request)


def _mounts(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[re.Pattern[str], str]]:
    for each in iter_route_contexts(routes):
        if isinstance(each.original_route, Mount):
            yield from _mounts(each.routes, f"{prefix}{each.path}")
            pattern, template, _ = compile_path(f"{prefix}{each.path}/")
            yield pattern, template.removesuffix("/")


def _trace(headers: Mapping[bytes, str]) -> tuple[str, str, bool]:
    if found := _TRACEPARENT.fullmatch(headers.get(b"traceparent", "")):
        return found[1], found[2], bool(int(found[3], 16) & 1)
    if found := _CLOUD_TRACE.fullmatch(headers.get(b"x-cloud-trace-context", "")):
        return found[1].lower(), f"{int(found[2]):016x}" if found[2] else "", found[3] == "1"
    return "", "", False
