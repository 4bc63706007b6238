"""What is reported of a generated request that breaks the app."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import exc

from harness.api.fuzzing import BoundedAdapter, Refusal, api_call, raised, refusal
from tests.harness.api.faulty_app import Start

TAKEN = """
from sqlalchemy.exc import IntegrityError

@app.post("/owners/{number}")
def add(number: int):
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO owner VALUES (:number, 'Ada')"), {"number": number})

@app.get("/lookup")
def lookup():
    return {}["x"]

@app.get("/broken")
def broken():
    def parts():
        yield "one"
        raise LookupError("no second part")
    return StreamingResponse(parts())

@app.get("/late")
def late(tasks: BackgroundTasks):
    def fail():
        time.sleep(0.2)
        raise LookupError("too late")
    tasks.add_task(fail)

@app.get("/busy")
def busy():
    raise HTTPException(503)
"""


def sent(start: Start, method: str, path: str) -> tuple[requests.Response, BaseException | None]:
    """The answer to a request, and the error of the app."""
    client = start(TAKEN)
    with requests.Session() as session:
        session.trust_env = False
        adapter = BoundedAdapter(client.transport.inflight)
        session.mount("http://", adapter)
        return session.request(method, str(client.base_url.join(path))), adapter.await_error()


def test_the_error_of_a_500_names_the_constraint(faulty_app: Start) -> None:
    """And the SQLSTATE, with psycopg's name for it."""
    answer, error = sent(faulty_app, "POST", "/owners/1")
    assert answer.status_code == 500
    assert isinstance(error, exc.IntegrityError)
    assert refusal(error) == Refusal("23505", "owner_pkey")
    assert str(refusal(error)) == "UniqueViolation (23505) owner_pkey"


def test_an_error_after_the_answer_is_awaited(faulty_app: Start) -> None:
    """However long after."""
    answer, error = sent(faulty_app, "GET", "/late")
    assert answer.status_code == 200
    assert isinstance(error, LookupError)


@pytest.mark.parametrize("path", ["/busy", "/missing"])
def test_an_answer_that_is_no_error_of_the_app_has_none(faulty_app: Start, path: str) -> None:
    """A 503 that the app answers by itself, and a 404, raise nothing."""
    assert sent(faulty_app, "GET", path)[1] is None


def test_an_error_that_is_no_refusal_of_the_database_has_none(faulty_app: Start) -> None:
    """A KeyError is reported as it is."""
    _, error = sent(faulty_app, "GET", "/lookup")
    assert error is not None
    assert refusal(error) is None
    assert list(raised(error, Path.cwd())) == ["KeyError: 'x'"]


def test_an_answer_that_breaks_off_has_its_request_and_its_error(faulty_app: Start) -> None:
    """The status has been sent by then."""
    client = faulty_app(TAKEN)
    adapter = BoundedAdapter(client.transport.inflight)
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", adapter)
        with pytest.raises(requests.RequestException) as caught:
            session.get(str(client.base_url.join("/broken")))
    assert caught.value.request is not None
    assert caught.value.request.method == "GET"
    assert isinstance(adapter.await_error(), LookupError)


class AsyncpgError(Exception):
    """What asyncpg raises: the constraint is on the error."""

    sqlstate = "23503"
    constraint_name = "fk_books_author_id_authors"


class AdaptedError(Exception):
    """What SQLAlchemy makes of it: only the SQLSTATE."""

    sqlstate = "23503"


def chained() -> None:
    """Raise an error of SQLAlchemy's asyncpg adapter as the cause of another."""
    try:
        try:
            raise AsyncpgError
        except AsyncpgError as error:
            raise AdaptedError from error
    except AdaptedError as error:
        raise ValueError("the book cannot be stored") from error


def test_a_refusal_is_found_below_other_errors_and_names_the_app_s_lines() -> None:
    """Of any driver; the last two lines of the project come with the first line of the error."""
    with pytest.raises(ValueError, match="cannot be stored") as caught:
        chained()
    assert refusal(caught.value) == Refusal("23503", "fk_books_author_id_authors")
    *lines, last = raised(caught.value, Path.cwd())
    assert [line.partition(":")[0] for line in lines] == ["at tests/harness/api/test_fuzzing.py"] * 2
    assert lines[-1].endswith('raise ValueError("the book cannot be stored") from error')
    assert last == "ValueError: the book cannot be stored"


def test_an_unknown_sqlstate_is_shown_as_it_is() -> None:
    """A function may raise any SQLSTATE."""
    assert str(Refusal("ZZ999")) == "SQLSTATE (ZZ999)"


def prepared(**options: Any) -> requests.PreparedRequest:
    """A request as a session sends it, logged in."""
    options["headers"] = {"X-API-Key": "secret", "Cookie": "session=secret"} | options.get("headers", {})
    session = requests.Session()
    return session.prepare_request(requests.Request("POST", "http://127.0.0.1:1/v1/books?page=2", **options))


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, "api.request('POST', '/v1/books?page=2')"),
        (
            {"json": {"author_id": 1, "done": True}},
            "api.request('POST', '/v1/books?page=2', json={'author_id': 1, 'done': True})",
        ),
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, "content=b'{', headers={'Content-Type':"),
        ({"data": b"[NaN]", "headers": {"Content-Type": "application/json"}}, "content=b'[NaN]', headers="),
        ({"data": {"a": "b"}}, "content=b'a=b', headers={'Content-Type': 'application/x-www-form-urlencoded'}"),
        ({"headers": {"X-Trace": "1"}}, "headers={'X-Trace': '1'}"),
    ],
)
def test_a_request_is_shown_as_a_call_without_credentials(options: dict[str, Any], shown: str) -> None:
    """A body keeps fields such as author_id; the headers that `api` sends are left out, and so are its cookies."""
    call = api_call(prepared(**options), {"x-api-key", "user-agent"})
    assert shown in call
    assert "secret" not in call
    assert call.startswith("api.request(")


def test_a_request_with_invented_credentials_is_shown_with_them() -> None:
    """It is sent by somebody who is not logged in."""
    call = api_call(prepared(), ())
    assert call.startswith("api.as_user(None).request(")
    assert "'X-API-Key': 'secret'" in call


def test_a_shown_body_is_the_body_that_was_sent() -> None:
    """What is pasted sends the same JSON."""
    body = {"text": "\ud800", "deep": [None, 1.5, {"a": "'"}]}
    request = prepared(data=json.dumps(body), headers={"Content-Type": "application/json"})
    shown = api_call(request, {"X-API-Key"}).partition("json=")[2].removesuffix(")")
    assert eval(shown) == body
