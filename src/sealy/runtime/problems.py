"""Every error as problem details (RFC 9457); none of them shows what is inside the service."""

import json
from collections.abc import Mapping
from http.client import responses
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy import exc
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware

MEDIA_TYPE = "application/problem+json"
REPEATABLE = {"0A000", "25006"}  # SQLSTATEs: a migration outdated a prepared statement; the server became a standby


class Detail(BaseModel):
    """One invalid field of a request."""

    field: str
    detail: str


class Problem(BaseModel):
    """An error (RFC 9457). `field` names what to change after a 409, `errors` what is not valid in a 422."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    field: str | None = None
    errors: list[Detail] | None = None


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """Return a problem as a response; 503 has Retry-After. The body is ASCII, whatever the request's fields are."""
    body = Problem(title=responses.get(status, "Error"), status=status, detail=detail, **more)
    retry = {"Retry-After": "1"} if status == 503 else {}
    return Response(json.dumps(body.model_dump(exclude_none=True)), status, {**retry, **(headers or {})}, MEDIA_TYPE)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that may answer with these statuses."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    found = {each: {"description": responses.get(each, "Error"), "content": content} for each in statuses}
    retry = {"headers": {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}}
    return {status: {**answer, **(retry if status == 503 else {})} for status, answer in found.items()}


def install(app: FastAPI, fields: Mapping[str, str]) -> None:
    """Answer every error of `app` with a problem; `fields` names the field of a request that violates a constraint."""

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> Response:
        if error.status_code == 400:  # FastAPI's, for a body that it cannot parse
            return problem(422, "the body is not valid JSON")
        return problem(error.status_code, error.detail, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid_request(_: Request, error: RequestValidationError) -> Response:
        if isinstance(error.body, bytes):  # FastAPI leaves a body unparsed unless its type is JSON
            return problem(415, "Content-Type must be application/json")
        errors = [_detail(each, error.body) for each in error.errors()[:20]]
        return problem(422, "the request is not valid", errors=errors)

    @app.exception_handler(exc.SQLAlchemyError)
    async def database_error(_: Request, error: exc.SQLAlchemyError) -> Response:
        cause: Any = getattr(error, "orig", None)
        state = getattr(cause, "sqlstate", None)
        if state in {"23503", "23505"} and (field := fields.get(cause.diag.constraint_name)):
            detail = f"this {field} is already taken" if state == "23505" else f"this {field} does not exist"
            return problem(409, detail, field=field)
        lost = isinstance(error, exc.OperationalError | exc.InterfaceError | exc.TimeoutError)
        if lost or getattr(error, "connection_invalidated", False) or state in REPEATABLE:
            return problem(503, "the database is unavailable or overloaded: try again")
        raise error

    async def unexpected_error(_: Request, __: Exception) -> Response:
        return problem(500, "unexpected error; see the server log")

    def openapi() -> dict[str, Any]:
        document = FastAPI.openapi(app)
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas |= {**schema.pop("$defs"), "Problem": schema}
        return document

    # As an exception handler it would run outside all other middleware, and the answer would lack their headers.
    app.add_middleware(ServerErrorMiddleware, handler=unexpected_error)
    app.openapi = openapi  # type: ignore[method-assign]


def _detail(error: Any, body: Any) -> Detail:
    if error.get("type") == "json_invalid":
        *above, line = body[: error["loc"][-1]].split("\n")
        place = f"line {len(above) + 1}, column {len(line) + 1}"
        return Detail(field="body", detail=f"invalid JSON at {place}: {error['ctx']['error']}")
    return Detail(field=".".join(map(str, error["loc"]))[:100], detail=error["msg"].removeprefix("Value error, "))
