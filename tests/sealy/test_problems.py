"""Errors that no client can bring about by itself, as problems too."""

from __future__ import annotations

import json

import psycopg
import pytest
from fastapi import FastAPI, HTTPException
from sqlalchemy.exc import IntegrityError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from sealy.runtime import problems
from tests.sealy.asgi import Reply, ask, scope

UNAVAILABLE = "the database is unavailable or overloaded: try again"


def reply_to(error: Exception) -> Reply:
    """What is sent when a handler fails with `error`; what the server is left with is not raised."""
    app = FastAPI()
    problems.install(app, {})

    @app.get("/")
    def fail() -> None:
        raise error

    reply = Reply()
    try:
        return ask(app, scope("GET", "/"), reply=reply)
    except type(error):
        return reply


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (PoolTimeoutError("5 connections"), 503, UNAVAILABLE),
        (
            OperationalError("SELECT 1", {}, psycopg.errors.AdminShutdown("bye")),
            503,
            UNAVAILABLE,
        ),
        (
            InternalError("INSERT", {}, psycopg.errors.ReadOnlySqlTransaction("a standby")),
            503,
            UNAVAILABLE,
        ),
        (
            IntegrityError("INSERT", {}, psycopg.errors.CheckViolation("secret row")),
            500,
            "unexpected error; see the server log",
        ),
        (ZeroDivisionError("secret"), 500, "unexpected error; see the server log"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_is_a_problem_that_says_whether_to_repeat(error: Exception, status: int, detail: str) -> None:
    """503 with Retry-After where the same request may succeed, else 500; neither tells what is inside."""
    reply = reply_to(error)
    assert reply.headers["content-type"] == problems.MEDIA_TYPE
    assert json.loads(reply.body)["detail"] == detail
    assert (reply.status, reply.headers.get("retry-after")) == (status, "1" if status == 503 else None)


def test_only_503_is_said_to_carry_retry_after() -> None:
    """OpenAPI describes the header where it is sent."""
    assert "headers" not in problems.problems(422)[422]
    assert "Retry-After" in problems.problems(422, 503)[503]["headers"]


@pytest.mark.parametrize("status", [401, 402, 418, 429, 460, 503, 599])
def test_any_status_is_a_problem(status: int) -> None:
    """A route may announce and answer with every status, also one without a standard name."""
    app = FastAPI()
    problems.install(app, {})

    @app.get("/", responses=problems.problems(status))
    def refuse() -> None:
        raise HTTPException(status, "no")

    reply = ask(app, scope("GET", "/"))
    assert (reply.status, json.loads(reply.body)["detail"]) == (status, "no")
    assert app.openapi()["paths"]["/"]["get"]["responses"][str(status)]["description"]
