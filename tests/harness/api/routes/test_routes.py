"""A route that returns a list is recognised by the OpenAPI document, or else by its answer."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict

from harness.api.routes import lists, untyped
from harness.api.transport import items


class Todo(BaseModel):
    """One row with plain values, and with others below it."""

    title: str
    tags: list[str] = []
    place: tuple[float, float] = (0, 0)
    after: Todo | None = None


class Page(BaseModel):
    """A list in an object."""

    items: list[Todo]


class Envelope(BaseModel):
    """A list two objects deep, and perhaps not there."""

    data: dict[str, Page | None]


class Tree(BaseModel):
    """What holds a list of itself."""

    below: list[Tree]


class Anything(BaseModel):
    """What takes more than it says."""

    model_config = ConfigDict(extra="allow")
    title: str


class Holder(BaseModel):
    """A part that is left open."""

    title: str
    data: dict[str, Any]


LISTS = (list[int], list[Todo], Page, Envelope, Tree, Page | None, dict[str, Page], dict[str, list[Any]])
OPEN = (dict[str, Any], dict[str, dict[str, Any]], Any, dict, Anything, Holder, Holder | None)
NEITHER = (Todo, dict[str, str], str, None, dict[str, Todo], Todo | None)


def document(kind: Any, **options: Any) -> dict[str, Any]:
    """The document of an app whose one GET answers with this."""
    app = FastAPI()
    app.get("/it", response_model=kind, **options)(lambda: None)
    app.post("/it", response_model=kind)(lambda: None)
    made: dict[str, Any] = app.openapi()
    return made


@pytest.mark.parametrize("kind", LISTS, ids=str)
def test_a_list_at_any_depth_is_a_list(kind: Any) -> None:
    """In an object, in an object of an object, as an alternative, and in what holds itself."""
    made = document(kind)
    assert (lists(made), untyped(made)) == (["GET /it"], [])


@pytest.mark.parametrize("kind", OPEN, ids=str)
def test_an_answer_without_a_schema_is_left_open(kind: Any) -> None:
    """Whatever may hold anything, itself or in one of its parts, is judged by what it answers."""
    made = document(kind)
    assert (lists(made), untyped(made)) == ([], ["GET /it"])


@pytest.mark.parametrize("kind", NEITHER, ids=str)
def test_one_row_is_no_list(kind: Any) -> None:
    """Plain values in an object, a pair, and an answer whose schema says all are left alone."""
    made = document(kind)
    assert untyped(made) == ([] if kind is not None else ["GET /it"])
    assert lists(made) == []


def test_what_is_no_json_is_left_alone() -> None:
    """A text has no schema, and no list."""
    made = document(None, response_class=PlainTextResponse)
    assert (lists(made), untyped(made)) == ([], [])


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ([1, 2], 2),
        ({"items": []}, 0),
        ({"data": {"user": 1, "todos": [{"tags": [1, 2, 3]}, {}]}}, 2),
        ({"warnings": [], "data": {"todos": [1, 2, 3]}}, 3),
        ({"id": 1}, None),
        ("text", None),
    ],
)
def test_an_answer_is_counted_at_any_depth(answer: Any, found: int | None) -> None:
    """The longest array that objects hold; what its items hold is theirs."""
    assert items(httpx.Response(200, json=answer)) == found


def test_an_answer_that_is_no_json_lists_nothing() -> None:
    """It is no error either."""
    assert items(httpx.Response(200, content=b"a,b\n1,2\n")) is None
