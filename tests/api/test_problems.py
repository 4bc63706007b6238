"""Errors that belong to no resource, and how OpenAPI describes errors."""

from __future__ import annotations

from typing import Any

import pytest

from harness.api.client import Client

pytestmark = pytest.mark.api

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"[" * 20_000,
        b'{"email": NaN}',
        b'{"email": "\\ud800@example.org"}',
        b'{"email": "ada@example.org", "\\ud800": 1}',
        b'{"email": "ada@example.org", "unknown": 1}',
        b'{"email": ' + b"9" * 5_000 + b"}",
    ],
)
def test_a_body_that_is_not_the_expected_json_is_refused(api: Client, body: bytes) -> None:
    """Broken JSON, broken Unicode, absurd depth and numbers: 422 as a problem, never a 500."""
    answer = api.post("/v1/users", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, PROBLEM)
    assert answer.json()["status"] == 422
    assert api.rows("users") == []


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_without_end_is_refused(api: Client, chunked: bool) -> None:
    """413 from 64 KiB on, whether or not the client says how much is to come."""
    body = b" " * 70_000
    answer = api.post("/v1/users", content=iter([body]) if chunked else body)
    assert answer.status_code == 413


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}, {"Content-Type": "multipart/form-data"}])
def test_a_body_that_is_not_called_json_is_refused(api: Client, headers: dict[str, str]) -> None:
    """A form of another site cannot send JSON unnoticed; a client that forgets the header learns which."""
    answer = api.post("/v1/users", content=b'{"email": "ada@example.org"}', headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (415, PROBLEM)
    assert answer.json()["detail"] == "Content-Type must be application/json"
    assert api.rows("users") == []


@pytest.mark.parametrize(
    ("body", "place"), [(b"{", "line 1, column 2"), (b'{"email":\n  a@b.cc\n}', "line 2, column 3")]
)
def test_broken_json_is_located_by_line_and_column(api: Client, body: bytes, place: str) -> None:
    """As an editor counts, with what was expected there."""
    (error,) = api.post("/v1/users", content=body, headers={"Content-Type": "application/json"}).json()["errors"]
    assert error["field"] == "body"
    assert error["detail"].startswith(f"invalid JSON at {place}: ")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v2/users", 404), ("PUT", "/v1/users", 405)])
def test_an_unknown_address_is_a_problem(api: Client, method: str, path: str, status: int) -> None:
    """Unknown paths and methods answer as every other error does."""
    answer = api.request(method, path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM)
    assert answer.json()["title"]


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of every operation."""
    return [(path, method, item) for path, methods in document["paths"].items() for method, item in methods.items()]


def test_openapi_describes_every_problem(api: Client) -> None:
    """Each error of /v1 is described as a problem, by a schema that the document holds."""
    document = api.get("/openapi.json").json()
    assert "Problem" in document["components"]["schemas"]
    for path, method, operation in operations(document):
        if not path.startswith("/v1/"):
            continue
        errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert {"422", "503"} <= set(errors), (path, method)
        for answer in errors.values():
            assert answer["content"] == {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_openapi_has_a_summary_a_tag_and_examples_for_every_operation(api: Client) -> None:
    """A reader of /docs can try each operation as it stands."""
    document = api.get("/openapi.json").json()
    for path, method, operation in operations(document):
        assert operation["summary"], (path, method)
        assert operation["tags"], (path, method)
        for parameter in operation.get("parameters", []):
            if parameter["required"]:
                assert parameter["schema"]["examples"], (path, method, parameter["name"])
        if "requestBody" in operation:
            reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            body = document["components"]["schemas"][reference.rpartition("/")[2]]
            assert all(body["properties"][name]["examples"] for name in body.get("required", [])), (path, method)
