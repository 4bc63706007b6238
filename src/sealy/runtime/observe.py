"""What each request asks of the database, counted while it runs and told to whoever listens once it is answered."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from time import perf_counter
from typing import Any, Self, TypeVar

import psycopg

T = TypeVar("T")
App = Callable[[Any, Any, Any], Awaitable[None]]

NO_ROUTE = "<none>"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CLIENT_GONE = 499
"""The status of a request that got no answer because its client had left; nginx's number, no standard has one."""

_REQUEST_ID = re.compile(r"[\w\-.:]{1,64}", re.ASCII)
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_CLOUD_TRACE = re.compile(r"(?!0{32})([0-9a-f]{32})(?:/(\d{1,20}))?(?:;o=([01]))?", re.IGNORECASE)
_TAG = re.compile(r"[\w/{}.:<> -]{1,200}", re.ASCII)
_WANTED = frozenset({b"x-request-id", b"traceparent", b"x-cloud-trace-context"})


class Observed:
    """A request: who sent it, what it is part of, and what it has cost so far. Times are in seconds.

    `trace`, `span` and `sampled` come from `traceparent` (W3C Trace Context, section 3.2), else from Google's
    X-Cloud-Trace-Context; `trace` is empty where neither is valid.
    """

    __slots__ = (
        "_begun",
        "noted",
        "queries",
        "query_seconds",
        "request_id",
        "sampled",
        "scope",
        "seconds",
        "span",
        "status",
        "tag",
        "trace",
    )

    def __init__(self, scope: Any) -> None:
        self._begun = perf_counter()
        self.scope = scope
        self.queries = 0
        self.query_seconds = 0.0
        self.seconds = 0.0
        self.status = CLIENT_GONE
        self.tag: str | None = None
        self.noted = False
        given = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _WANTED}
        request_id = given.get(b"x-request-id", "")
        self.request_id = request_id if _REQUEST_ID.fullmatch(request_id) else secrets.token_hex(16)
        self.trace, self.span, self.sampled = _trace(given)

    @property
    def method(self) -> str:
        """The method, or one word for all that HTTP does not define, so that clients cannot make up labels."""
        method: str = self.scope["method"]
        return method if method in METHODS else "<other>"

    @property
    def route(self) -> str:
        """The path's template with the prefixes of its routers; one word for every path that has none."""
        found = self.scope.get("fastapi", {}).get("effective_route_context") or self.scope.get("route")
        return getattr(found, "path_format", None) or getattr(found, "path", None) or NO_ROUTE

    def stop(self) -> None:
        """Take the time until now."""
        self.seconds = perf_counter() - self._begun


current: ContextVar[Observed | None] = ContextVar("current", default=None)
"""The request that is being answered; threads that answer it see the same object."""

Note = Callable[[Observed], None]


def _trace(headers: dict[bytes, str]) -> tuple[str, str, bool]:
    """Trace id, span id (both in hexadecimal digits, empty where unknown), and whether the trace is recorded."""
    if found := _TRACEPARENT.fullmatch(headers.get(b"traceparent", "")):
        return found[1], found[2], bool(int(found[3], 16) & 1)
    if found := _CLOUD_TRACE.fullmatch(headers.get(b"x-cloud-trace-context", "")):
        return found[1].lower(), f"{int(found[2]):016x}" if found[2] else "", found[3] == "1"
    return "", "", False


class Observe:
    """The outermost ASGI middleware: counts, answers with X-Request-ID and Server-Timing, and tells `notes`.

    They are told before the last of the answer is sent, so that whoever has read the answer finds it counted.
    """

    def __init__(self, app: App, notes: Sequence[Note], *, server_timing: bool) -> None:
        self._app = app
        self._notes = notes
        self._server_timing = server_timing

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Observed(scope)
        # Never reset: the context ends with the request, and what the server logs afterwards still belongs to it.
        current.set(request)

        async def watch(message: Any) -> None:
            if message["type"] == "http.response.start":
                request.status = message["status"]
                message = {**message, "headers": [*message["headers"], *self._headers(request)]}
            elif message["type"] == "http.response.body" and not message.get("more_body"):
                self._tell(request)
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            self._tell(request)

    def _headers(self, request: Observed) -> list[tuple[bytes, bytes]]:
        headers = [(b"x-request-id", request.request_id.encode())]
        if self._server_timing:
            request.stop()
            queries = f'db;dur={request.query_seconds * 1e3:.1f};desc="{request.queries} queries"'
            times = f"app;dur={request.seconds * 1e3:.1f}, {queries}"
            headers.append((b"server-timing", times.encode()))
        return headers

    def _tell(self, request: Observed) -> None:
        if request.noted:
            return
        request.noted = True
        request.stop()
        for note in self._notes:
            note(request)


class CountingCursor(psycopg.Cursor[Any]):
    """Counts its statements for the request that sends them; an executemany is one.

    A statement counts when it begins, so one that fails or is cancelled counts too. BEGIN, COMMIT, COPY, server-side
    cursors and what opens a connection are not seen here.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """Send a statement, as psycopg does."""
        return _counted(super().execute, query, params, **options)

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        """Send a statement for many sets of values, as psycopg does."""
        _counted(super().executemany, query, params_seq, **options)


class TaggingCursor(CountingCursor):
    """Counts, and ends each statement in a comment with the request's route, for pg_stat_statements."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """Send a statement with its comment."""
        return super().execute(_tagged(query), params, **options)

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        """Send a statement with its comment for many sets of values."""
        super().executemany(_tagged(query), params_seq, **options)


def _counted(send: Callable[..., T], *arguments: Any, **options: Any) -> T:
    request = current.get()
    if request is None:
        return send(*arguments, **options)
    request.queries += 1
    begun = perf_counter()
    try:
        return send(*arguments, **options)
    finally:
        request.query_seconds += perf_counter() - begun


def _tagged(query: Any) -> Any:
    request = current.get()
    if request is None or not isinstance(query, str):
        return query
    if request.tag is None:
        name = f"{request.method} {request.route}"
        request.tag = f" /* {name} */" if _TAG.fullmatch(name) else ""
    return query + request.tag
