"""Every error as problem details (RFC 9457), also those of the database; none of them tells what is inside."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from functools import wraps
from http import HTTPStatus
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = {"Retry-After": "1"}

FIELDS = {
    "uq_users_email": "email",
    "fk_todos_owner_id_users": "owner_id",
    "fk_tags_owner_id_users": "owner_id",
}
"""The field of the request that each constraint judges."""

REPEATABLE = {"0A000", "25006"}
"""States beside OperationalError's after which the same request may succeed: a prepared statement that a migration has
outdated, a server that has become a standby (PostgreSQL manual, appendix A)."""

DESCRIPTIONS = {
    404: "There is no such thing",
    409: "It contradicts what is stored; `field` names what to change",
    415: "The body is not said to be JSON: send it with `Content-Type: application/json`",
    422: "The request is not valid; `errors` says where",
    503: "The database is away or overloaded, or gave up on a lock, a deadlock or a time limit: repeat the request",
}


class Detail(BaseModel):
    """One place in a request that is not valid."""

    field: str
    detail: str


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    field: str | None = None
    errors: list[Detail] | None = None


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """Answer with a problem, in ASCII whatever the fields of the request are called."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, **more)
    content = json.dumps(body.model_dump(exclude_none=True))
    return Response(content, status, headers, MEDIA_TYPE)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of these statuses."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    answers: dict[int | str, dict[str, Any]] = {
        status: {"description": DESCRIPTIONS[status], "content": content} for status in statuses
    }
    if 503 in answers:
        answers[503]["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    return answers


class Route(APIRoute):
    """A route for handlers that wait for the database: its requests make one trip to a thread, not two.

    FastAPI goes to a thread a second time to validate what a plain handler returns; for the model that the handler has
    made there is nothing to do. Query parameters are refused where there are none: a misspelt one would change nothing,
    and nobody would notice.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if not any(kind(endpoint) for kind in (iscoroutinefunction, isgeneratorfunction, isasyncgenfunction)):
            endpoint = _in_a_thread(endpoint)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's, behind a look at the query."""
        handle = super().get_route_handler()
        if self.dependant.query_params:
            return handle

        async def refuse_query(request: Request) -> Response:
            if request.query_params:
                message = "this address takes no query parameter"
                raise RequestValidationError(
                    [{"loc": ("query", name), "msg": message} for name in request.query_params]
                )
            return await handle(request)

        return refuse_query


def _in_a_thread(endpoint: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    @wraps(endpoint)
    async def answer(**values: Any) -> Any:
        return await run_in_threadpool(endpoint, **values)

    return answer


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem."""
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(DBAPIError, _database_error)
    app.add_exception_handler(PoolTimeoutError, _pool_exhausted)
    app.add_exception_handler(Exception, _unexpected_error)


async def _http_error(_: Request, error: Any) -> Response:
    if error.status_code == 400:  # FastAPI's, for a body that it cannot parse
        return problem(422, "the body is not JSON that can be read")
    return problem(error.status_code, str(error.detail), headers=error.headers)


async def _invalid_request(_: Request, error: Any) -> Response:
    if isinstance(error.body, bytes):  # FastAPI has parsed what is called JSON, and nothing else
        return problem(415, "the body is not said to be JSON: send the header Content-Type: application/json")
    errors = [
        Detail(field="body", detail=_where_json_breaks(item, error.body))
        if item.get("type") == "json_invalid"
        else Detail(field=".".join(map(str, item["loc"]))[:100], detail=item["msg"].removeprefix("Value error, "))
        for item in error.errors()[:20]
    ]
    return problem(422, "the request is not valid", errors=errors)


def _where_json_breaks(item: Any, text: str) -> str:
    """What the reader of JSON has to say, and where, as editors count: from 1."""
    before = text[: item["loc"][-1]]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return f"not JSON at line {line}, column {column}: {item['ctx']['error']}"


async def _database_error(_: Request, error: Any) -> Response:
    state = getattr(error.orig, "sqlstate", None)
    if state in {"23503", "23505"} and (field := FIELDS.get(error.orig.diag.constraint_name)):
        taken = state == "23505"
        detail = f"this {field} is already taken" if taken else f"this {field} does not exist"
        return problem(409, detail, field=field)
    lost = isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
    if lost or state in REPEATABLE:
        return problem(503, "the database cannot answer now: repeat the request", headers=RETRY_AFTER)
    raise error


async def _pool_exhausted(_: Request, __: Any) -> Response:
    return problem(503, "every database connection is busy: repeat the request", headers=RETRY_AFTER)


async def _unexpected_error(_: Request, __: Any) -> Response:
    return problem(500, "an unexpected error; the server's log tells more")
