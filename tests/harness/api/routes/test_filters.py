"""Every combination of a list's filters is sent, and a filter that cannot be sent is named."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi import FastAPI, Path, Query
from pydantic import BaseModel, Field

from harness.api.routes.filters import MOST, Filter, combined, filters


class State(Enum):
    """What a row may be."""

    OPEN = "open"
    DONE = "done"


class Page(BaseModel):
    """Filters as a model."""

    owner: int | None = Field(default=None, examples=[7])


def found(kind: Any, default: Any = None) -> Filter:
    """The filter that a parameter of this type becomes."""
    app = FastAPI()

    def read(value: Any = default) -> list[int]:
        return []

    read.__annotations__["value"] = kind
    app.get("/items")(read)
    [made] = filters(app.openapi(), "GET /items")
    return made


@pytest.mark.parametrize(
    ("kind", "default", "values"),
    [
        (Annotated[str | None, Query(examples=["home", "work"])], None, ("home", "work")),
        (Annotated[str, Field(examples=["home"])] | None, None, ("home",)),
        (Annotated[str | None, Query(openapi_examples={"one": {"value": "home"}})], None, ("home",)),
        (State | None, None, ("open", "done")),
        (State, State.OPEN, ("done",)),
        (Literal["asc", "desc"], "asc", ("desc",)),
        (bool | None, None, (True, False)),
        (bool, False, (True,)),
        (int | None, None, (1,)),
        (Annotated[int | None, Query(ge=10)], None, (10,)),
        (Annotated[int | None, Query(le=0)], None, (0,)),
        (int, 50, ()),
        (str | None, None, ("a",)),
        (Annotated[str | None, Query(min_length=3)], None, ("aaa",)),
        (str, "a", ()),
        (date | None, None, ("2027-01-31",)),
        (UUID | None, None, ("00000000-0000-4000-8000-000000000000",)),
        (Annotated[list[State] | None, Query()], None, (["open"], ["done"])),
    ],
    ids=str,
)
def test_a_filter_gets_its_values_from_the_document(kind: Any, default: Any, values: tuple[Any, ...]) -> None:
    """Examples first; else all values of a type that has few, or any value where all are alike; never the default."""
    made = found(kind, default)
    assert (made.values, made.described) == (values, True)


IBAN = Annotated[str | None, Query(json_schema_extra={"format": "iban"})]


@pytest.mark.parametrize("kind", [Annotated[str | None, Query(pattern="^[A-Z]{3}$")], IBAN], ids=str)
def test_a_filter_without_an_honest_value_is_not_described(kind: Any) -> None:
    """No value is made for a pattern, or for a format that only its app knows."""
    made = found(kind)
    assert (made.values, made.described) == ((), False)


def test_what_the_path_gives_is_no_filter() -> None:
    """Path parameters, headers, and parameters that the maker of rows gives; required ones are in each request."""
    app = FastAPI()

    @app.get("/users/{user_id}/items")
    def read(
        user_id: Annotated[int, Path()],
        page: Annotated[Page, Query()],
        team: int,
        done: bool | None = None,
    ) -> list[int]:
        return []

    document = app.openapi()
    route = "GET /users/{user_id}/items"
    assert [each.name for each in filters(document, route)] == ["owner", "team", "done"]
    sent = list(combined(filters(document, route, given=["owner"])))
    assert sent == [{"team": 1}, {"team": 1, "done": True}, {"team": 1, "done": False}]


def test_every_combination_is_sent() -> None:
    """Each filter alone, with each other, and all together."""
    two = [Filter("done", (True,), False, True), Filter("tag", ("a", "b"), False, True)]
    assert list(combined(two)) == [
        {},
        {"tag": "a"},
        {"tag": "b"},
        {"done": True},
        {"done": True, "tag": "a"},
        {"done": True, "tag": "b"},
    ]


def test_many_filters_are_sent_in_pairs() -> None:
    """Twenty filters have a million combinations; every two of them meet, and all of them at once."""
    many = [Filter(f"f{number}", (1,), number == 0, True) for number in range(20)]
    sent = list(combined(many))
    assert len(sent) == 1 + 19 + 19 * 18 // 2 + 1
    assert len(sent) > MOST
    assert all("f0" in each for each in sent)
    assert {"f0": 1, "f3": 1, "f7": 1} in sent
    assert max(map(len, sent)) == 20
