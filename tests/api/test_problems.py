"""Errors that belong to no resource, and how OpenAPI describes errors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.api.client import Client
from harness.api.routes import resolve

pytestmark = pytest.mark.api

PROBLEM = "application/problem+json"
SOURCES = Path(__file__).parents[2] / "src"


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


def place(name: str) -> str:
    """The file that defines a class or a function of the app; the folder of all if there is none."""
    definition = re.compile(rf"^(?:class|def|async def) {re.escape(name)}\b", re.MULTILINE)
    files = [path for path in SOURCES.rglob("*.py") if definition.search(path.read_text(encoding="utf-8"))]
    return str(files[0].relative_to(SOURCES.parent)) if files and name else SOURCES.name


def undescribed(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    """What a reader of /docs misses in an operation, and the file to add it to."""
    function = operation["operationId"].removesuffix(re.sub(r"\W", "_", path) + f"_{method}")
    for part in ("summary", "tags"):
        if not operation.get(part):
            yield f"no {part}: add it to the route in {place(function)}"
    for parameter in operation.get("parameters", []):
        if parameter["required"] and not {**parameter, **parameter["schema"]}.get("examples"):
            yield f"the parameter {parameter['name']} has no examples: add examples=[…] to it in {place(function)}"
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield from without_examples(document, content.get("schema", {}), function)


def without_examples(document: dict[str, Any], schema: Mapping[str, Any], owner: str) -> Iterator[str]:
    """The required fields of a body, and of the models in it, that have no examples."""
    owner = schema.get("$ref", owner).rpartition("/")[2]
    body = resolve(document, schema)
    for name in body.get("required", []):
        field = body["properties"][name]
        described = {**resolve(document, field), **field}
        if described.get("properties"):
            yield from without_examples(document, field, owner)
        elif not any(described.get(each) for each in ("examples", "enum", "const")):
            yield f"{owner}.{name} has no examples: add Field(examples=[…]) to it in {place(owner)}"


def test_openapi_has_a_summary_a_tag_and_examples_for_every_operation(api: Client) -> None:
    """A reader of /docs can try each operation as it stands."""
    document = api.get("/openapi.json").json()
    lacking = [
        f"{method.upper()} {path}: {each}"
        for path, method, operation in operations(document)
        for each in undescribed(document, path, method, operation)
    ]
    if lacking:
        pytest.fail("\n".join(lacking), False)
