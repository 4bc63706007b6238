"""What schemathesis sends its requests with, and what is reported of a request that breaks the app."""

from __future__ import annotations

import json
import linecache
from collections.abc import Collection, Iterator
from pathlib import Path
from traceback import format_exception_only
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
import requests
from requests.adapters import HTTPAdapter

from harness.api.bodies import bounded
from harness.api.in_flight import InFlight
from harness.frames import is_project, steps

EVENTS = "text/event-stream"

LONGEST_FAILURE = 5.0
"""Seconds in which the app's error arrives: it passes through the middleware after the client has its answer."""

OF_CLIENTS = {"accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"}
"""Headers that each client sends by itself."""

FRAMES = 2
"""Lines of the app that are shown of an error: one that asks the database, and one of a cursor of the project."""


class BoundedAdapter(HTTPAdapter):
    """Reads the first part of an event stream, which may have no end, and `parts` of any other answer, or all of it."""

    def __init__(self, inflight: InFlight, parts: int | None = None) -> None:
        super().__init__()
        self._inflight = inflight
        self._parts = parts

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send a request, and read its answer.

        Raises:
            HarnessError: when the body does not end.
            requests.RequestException: when the app breaks off.
        """
        self._inflight.last = None
        answer = super().send(request, *args, **options)
        most = 1 if EVENTS in answer.headers.get("Content-Type", "") else self._parts
        route = f"{request.method} {urlsplit(str(request.url)).path}"
        try:
            answer._content = b"".join(bounded(answer.iter_content(65536), route, most))
        except requests.RequestException as error:
            error.request = request  # requests names it only of errors before the answer
            raise
        finally:
            answer.close()
        return answer

    def await_error(self) -> BaseException | None:
        """Wait until the app has returned from the last request, and return what it raised; None if it raised nothing.

        The error is logged by then.
        """
        work = self._inflight.last
        if work is None:
            return None
        work.finished.wait(LONGEST_FAILURE)
        return work.error


class Refusal(NamedTuple):
    """What the database refused: the SQLSTATE and, if one is violated, the constraint."""

    sqlstate: str
    constraint: str = ""

    def __str__(self) -> str:
        """Return `UniqueViolation (23505) uq_books_isbn`."""
        try:
            name = psycopg.errors.lookup(self.sqlstate).__name__
        except KeyError:
            name = "SQLSTATE"
        return f"{name} ({self.sqlstate}) {self.constraint}".rstrip()


def refusal(error: BaseException | None) -> Refusal | None:
    """Return what the database refused, of an error of any driver or one that it caused; None for another error."""
    found: Refusal | None = None
    while error is not None:
        state, constraint = getattr(error, "sqlstate", None), _constraint(error)
        if isinstance(state, str) and (found is None or (found.sqlstate == state and not found.constraint)):
            found = Refusal(state, constraint)
        error = error.__cause__ or error.__context__
    return found


def _constraint(error: BaseException) -> str:
    """Return the violated constraint: psycopg has it in `diag`, asyncpg on the error."""
    return str(getattr(getattr(error, "diag", error), "constraint_name", None) or "")


def raised(error: BaseException, root: Path) -> Iterator[str]:
    """Yield the last lines of the project's code that an error came through, and the error's first line."""
    for step in [each for each in steps(error.__traceback__) if is_project(each, root)][-FRAMES:]:
        path, line = step.tb_frame.f_code.co_filename, step.tb_lineno
        yield f"at {Path(path).relative_to(root)}:{line}: {linecache.getline(path, line).strip()}"
    yield first_line(error)


def first_line(error: BaseException) -> str:
    """Return an error in one line, as the end of a traceback."""
    return format_exception_only(error)[0].partition("\n")[0]


def api_call(request: requests.PreparedRequest, logged_in: Collection[str]) -> str:
    """Return a request as a call of the fixture `api`; `logged_in` are the headers that `api` sends with each one.

    Without these, the request has the credentials that it was generated with.
    """
    headers = {name: value for name, value in request.headers.items() if _own(name, logged_in)}
    body = request.body.encode() if isinstance(request.body, str) else request.body
    arguments = [repr(request.method), repr(str(request.path_url))]
    if isinstance(body, bytes):
        sent = _json(body) if "json" in str(request.headers.get("Content-Type")) else None
        if sent is None:
            arguments.append(f"content={body!r}")
        else:
            arguments.append(f"json={sent}")
            headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
    if headers:
        arguments.append(f"headers={headers!r}")
    client = "api" if logged_in else "api.as_user(None)"
    return f"{client}.request({', '.join(arguments)})"


def _own(name: str, logged_in: Collection[str]) -> bool:
    """Return whether a header is one of the request, and neither of its client nor a credential."""
    name = name.lower()
    known = {each.lower() for each in logged_in}
    return name not in OF_CLIENTS | known and not name.startswith("x-schemathesis") and not (known and name == "cookie")


def _json(body: bytes) -> str | None:
    """Return a JSON body as Python; None for what the parameter `json` of a client cannot send."""
    try:
        return repr(json.loads(body, parse_constant=int))
    except (ValueError, RecursionError):
        return None
