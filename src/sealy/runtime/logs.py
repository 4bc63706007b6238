"""One log for the app and its server: lines for a terminal, or JSON with the field names of Google Cloud Logging."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from sealy.runtime.observe import Observed, current

log = logging.getLogger("sealy")
access = logging.getLogger("sealy.access")

LONGEST = 2000  # characters of a path or a user agent
GOOGLE = "logging.googleapis.com"
ERROR_EVENT = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"


def configure(*, as_json: bool) -> None:
    """Send the app's and uvicorn's lines to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JSONLines() if as_json else _TerminalLines())
    for name in ("sealy", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
    logging.getLogger("uvicorn.access").handlers = []  # the app writes its own access lines


def note(request: Observed) -> None:
    """Write the access line of a request that has been answered."""
    scope = request.scope
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")[:LONGEST]
    fields: dict[str, Any] = {"route": request.route, "method": request.method, "status": request.status}
    fields |= {"duration_ms": round(request.seconds * 1e3, 3)}
    fields |= {"db_queries": request.queries, "db_ms": round(request.query_seconds * 1e3, 3)}
    fields |= {"client": str((scope.get("client") or "-")[0]), "user_agent": request.agent[:LONGEST]}
    level = logging.ERROR if request.status >= 500 else logging.INFO
    access.log(level, "%s %s %d", scope["method"], path, request.status, extra={"fields": fields})


def escaped(text: str) -> str:
    """Return the text with newlines, ESC and bidi controls as escapes: no client can forge a line."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


class _TerminalLines(logging.Formatter):
    """`12:00:00 INFO    GET /v1/todos/17 200 · 12.3 ms · 1 SQL 2.1 ms · 203.0.113.9 · 4bf92f35…`."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{self.formatTime(record, '%H:%M:%S')} {record.levelname:7} {escaped(record.getMessage())}"
        if fields := getattr(record, "fields", None):
            line += " · {duration_ms:.1f} ms · {db_queries} SQL {db_ms:.1f} ms · {client}".format_map(fields)
        if request := current.get():
            line += f" · {request.request_id}"
        trace = self.formatException(record.exc_info).splitlines() if record.exc_info else []
        return "\n".join([line, *(f"    {escaped(each)}" for each in trace)])


class _JSONLines(logging.Formatter):
    """One object per line (Google Cloud, "Structured logging"); the server's lines name the request too."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {"severity": record.levelname, "message": record.getMessage(), "logger": record.name}
        line |= {"time": datetime.fromtimestamp(record.created, UTC).isoformat(), "pid": record.process}
        if record.exc_info:
            line |= {"message": f"{line['message']}\n{self.formatException(record.exc_info)}", "@type": ERROR_EVENT}
        if request := current.get():
            line["request_id"] = request.request_id
            if request.trace:
                line |= {f"{GOOGLE}/trace": request.trace, f"{GOOGLE}/trace_sampled": request.sampled}
            if request.span:
                line[f"{GOOGLE}/spanId"] = request.span
        return json.dumps(line | getattr(record, "fields", {}))
