"""One log for the app and its server: lines for a terminal, or JSON with the field names of Google Cloud Logging.

Whatever a client sends stays inside its line: control characters are written as escapes, tracebacks are indented.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any

from sealy.runtime.observe import Observed, current

log = logging.getLogger("sealy")
access = logging.getLogger("sealy.access")

ERROR_EVENT = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"
LONGEST = 2000
"""Characters of what a client sends that go into a line."""


def configure(*, as_json: bool, access_log: bool) -> None:
    """Send the app's and the server's lines to standard error; uvicorn's access lines end where ours begin."""
    handler = logging.StreamHandler(_StandardError())
    handler.setFormatter(_JSONLines() if as_json else _TerminalLines())
    for name in ("sealy", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(logging.INFO)
    if access_log:
        servers = logging.getLogger("uvicorn.access")
        servers.handlers = []
        servers.propagate = False


def note(request: Observed) -> None:
    """Write the access line of a request that has been answered."""
    level = logging.ERROR if request.status >= 500 else logging.INFO
    scope = request.scope
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")[:LONGEST]
    access.log(level, "%s %s %d", scope["method"], path, request.status, extra={"answered": request})


class _StandardError:
    """Standard error as it is when a line is written: tests put another in its place."""

    def write(self, text: str) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def escaped(text: str) -> str:
    """The text with everything that does not show as itself written as an escape: newlines, ESC, bidi controls."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


class _TerminalLines(logging.Formatter):
    """`12:00:00 INFO    GET /v1/todos/17 200 · 12.3 ms · 1 query 2.1 ms · 203.0.113.9 · 4bf92f35…`."""

    def format(self, record: logging.LogRecord) -> str:
        parts = [f"{self.formatTime(record, '%H:%M:%S')} {record.levelname:7} {escaped(record.getMessage())}"]
        answered: Observed | None = getattr(record, "answered", None)
        if answered is not None:
            word = "query" if answered.queries == 1 else "queries"
            parts += [
                f"{answered.seconds * 1e3:.1f} ms",
                f"{answered.queries} {word} {answered.query_seconds * 1e3:.1f} ms",
            ]
            parts.append(_client(answered))
        if request := current.get():
            parts.append(request.request_id)
        line = " · ".join(parts)
        if record.exc_info:
            trace = self.formatException(record.exc_info).splitlines()
            line = "\n".join([line, *(f"    {escaped(each)}" for each in trace)])
        return line


class _JSONLines(logging.Formatter):
    """One object a line (Google's "Structured logging"); the request's own fields also on lines of the server."""

    def __init__(self) -> None:
        super().__init__()
        # Cloud Run writes a request log of its own, with this field.
        self._http_request = "K_SERVICE" not in os.environ

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        line: dict[str, Any] = {
            "severity": record.levelname,
            "message": message,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "logger": record.name,
            "pid": record.process,
        }
        if record.exc_info:
            line |= {"message": f"{message}\n{self.formatException(record.exc_info)}", "@type": ERROR_EVENT}
        if request := current.get():
            line |= _origin(request)
        answered: Observed | None = getattr(record, "answered", None)
        if answered is not None:
            line |= {
                "route": answered.route,
                "method": answered.method,
                "status": answered.status,
                "duration_ms": round(answered.seconds * 1e3, 3),
                "db_queries": answered.queries,
                "db_ms": round(answered.query_seconds * 1e3, 3),
            }
            if self._http_request:
                line["httpRequest"] = _http_request(answered)
        return json.dumps(line)


def _origin(request: Observed) -> dict[str, Any]:
    """What a request is part of."""
    fields: dict[str, Any] = {"request_id": request.request_id}
    if request.trace:
        fields["logging.googleapis.com/trace"] = request.trace
        fields["logging.googleapis.com/trace_sampled"] = request.sampled
    if request.span:
        fields["logging.googleapis.com/spanId"] = request.span
    return fields


def _http_request(request: Observed) -> dict[str, Any]:
    """Google's HttpRequest."""
    scope = request.scope
    agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
    return {
        "requestMethod": scope["method"],
        "requestUrl": (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")[:LONGEST],
        "status": request.status,
        "latency": f"{request.seconds:.6f}s",
        "remoteIp": _client(request),
        "userAgent": agent.decode("latin-1")[:LONGEST],
        "protocol": f"HTTP/{scope.get('http_version', '1.1')}",
    }


def _client(request: Observed) -> str:
    """The client's address as far as it can be known."""
    client = request.scope.get("client")
    return str(client[0]) if client else "-"
