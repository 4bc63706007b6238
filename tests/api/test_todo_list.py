"""GET /v1/todos: filters and pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from harness.api.client import Client

pytestmark = pytest.mark.api


def pages(api: Client, **query: Any) -> Iterator[list[dict[str, Any]]]:
    """Every page from the first to the last; a cursor that does not move on is an error, not an endless loop."""
    cursors: set[str] = set()
    while True:
        answer = api.get("/v1/todos", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page["items"]
        if page["next"] is None:
            return
        assert page["next"] not in cursors
        cursors.add(page["next"])
        query["cursor"] = page["next"]


def titles(api: Client, **query: Any) -> list[str]:
    """The titles of all pages in turn."""
    return [todo["title"] for page in pages(api, **query) for todo in page]


@pytest.fixture
def two_owners(api: Client) -> list[int]:
    """Two users; each has `a` and `b` of which `b` is done, and `a` has the tag Home."""
    users = api.seed("users", [{"email": "ada@example.org"}, {"email": "bob@example.org"}])
    for user in users:
        body = {"owner_id": user["id"], "title": f"{user['email'][:3]} a", "tags": ["Home"]}
        api.post("/v1/todos", json=body)
        done = api.post("/v1/todos", json={"owner_id": user["id"], "title": f"{user['email'][:3]} b"}).json()
        api.patch(f"/v1/todos/{done['id']}", json={"done": True})
    return [user["id"] for user in users]


def test_all_todos_are_listed_the_latest_first(api: Client, two_owners: list[int]) -> None:
    """Without a filter everybody's are there, each as it is read by itself."""
    (page,) = pages(api)
    assert [todo["title"] for todo in page] == ["bob b", "bob a", "ada b", "ada a"]
    assert page == [api.get(f"/v1/todos/{todo['id']}").json() for todo in page]


def test_an_empty_list_is_one_empty_page(api: Client) -> None:
    """No todos: no items and no next page."""
    assert api.get("/v1/todos").json() == {"items": [], "next": None}


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_filters_work_alone_and_together(api: Client, two_owners: list[int], limit: int) -> None:
    """Owner, done and tag each choose what they say, in any combination and on any size of page."""
    ada = two_owners[0]
    assert titles(api, limit=limit, owner_id=ada) == ["ada b", "ada a"]
    assert titles(api, limit=limit, done=True) == ["bob b", "ada b"]
    assert titles(api, limit=limit, tag="home") == ["bob a", "ada a"]
    assert titles(api, limit=limit, owner_id=ada, done=False) == ["ada a"]
    assert titles(api, limit=limit, owner_id=ada, tag="HOME") == ["ada a"]
    assert titles(api, limit=limit, done=True, tag="home") == []
    assert titles(api, limit=limit, owner_id=ada, done=False, tag="home") == ["ada a"]


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_thousands_of_todos_are_each_listed_exactly_once(api: Client, count: int) -> None:
    """Pages neither repeat nor leave out a todo, also while others are created in between."""
    owners = [user["id"] for user in api.seed("users", [{"email": f"{n}@example.org"} for n in range(10)])]
    rows = [{"owner_id": owners[n % 10], "title": f"todo {n}", "done": n % 3 == 0} for n in range(count)]
    seeded = [row["id"] for row in api.seed("todos", rows)]
    listed: list[int] = []
    for page in pages(api, limit=100):
        listed += [todo["id"] for todo in page]
        if len(page) == 100:
            api.seed("todos", [{"owner_id": owners[0], "title": "created meanwhile"}])
    assert listed == sorted(seeded, reverse=True)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=101",
        "limit=many",
        "owner_id=0",
        f"owner_id={2**53}",
        "done=perhaps",
        "tag=",
        "tag=%00",
        "tag=" + "x" * 51,
        "cursor=",
        "cursor=%00",
        "cursor=not-a-cursor",
        "cursor=W10",
        "cursor=eyJiZWZvcmUiOjB9",
        "cursor=%C3%A9",
        "cursor=" + "A" * 101,
        "unknown=1",
        "Limit=1",
    ],
)
def test_a_query_that_is_not_valid_is_refused_by_name(api: Client, query: str) -> None:
    """422 names the parameter, an unknown one too."""
    refused = api.get(f"/v1/todos?{query}")
    name = query.partition("=")[0]
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, f"query.{name}")
