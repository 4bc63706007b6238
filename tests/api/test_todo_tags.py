"""Tags on todos."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.api.client import Client

pytestmark = pytest.mark.api


@pytest.fixture
def todo(api: Client, owner: int) -> dict[str, Any]:
    """A todo with the tags home and urgent."""
    body = {"owner_id": owner, "title": "Water the plants", "tags": ["home", "urgent"]}
    answer: dict[str, Any] = api.post("/v1/todos", json=body).json()
    return answer


def test_a_todos_tags_are_replaced(api: Client, todo: dict[str, Any]) -> None:
    """It has then exactly those that were sent; the rest of it stays."""
    address = f"/v1/todos/{todo['id']}"
    for tags in (["garden", "home"], ["home"], [], ["garden"]):
        replaced = api.put(f"{address}/tags", json={"tags": tags})
        assert replaced.json() == {**todo, "tags": tags} == api.get(address).json()


def test_a_tag_is_one_in_any_case(api: Client, owner: int, todo: dict[str, Any]) -> None:
    """The owner keeps one tag, spelt as at first, and a list that names it twice puts it on once."""
    replaced = api.put(f"/v1/todos/{todo['id']}/tags", json={"tags": ["HOME", "Home", "home"]})
    assert replaced.json()["tags"] == ["home"]
    assert sorted(tag["name"] for tag in api.rows("tags")) == ["home", "urgent"]


def test_two_owners_have_tags_of_one_name(api: Client, todo: dict[str, Any]) -> None:
    """A tag belongs to its owner: another's of that name is another tag."""
    other = api.post("/v1/users", json={"email": "other@example.org"}).json()["id"]
    api.post("/v1/todos", json={"owner_id": other, "title": "Sweep", "tags": ["home"]})
    owners = sorted(tag["owner_id"] for tag in api.rows("tags") if tag["name"] == "home")
    assert owners == sorted([todo["owner_id"], other])


@pytest.mark.parametrize("tag", ["", "  ", "x" * 51, "nul\0", None, 7])
def test_a_tag_out_of_bounds_is_refused(api: Client, todo: dict[str, Any], tag: object) -> None:
    """422 names its place in the list, and the todo keeps its tags."""
    refused = api.put(f"/v1/todos/{todo['id']}/tags", json={"tags": ["home", tag]})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "body.tags.1")
    assert api.get(f"/v1/todos/{todo['id']}").json() == todo


def test_of_two_replacements_at_once_one_stays_whole(api: Client, todo: dict[str, Any]) -> None:
    """However they meet, the tags are all of one request, never a mixture."""
    address = f"/v1/todos/{todo['id']}"
    wanted = [[f"{number} left", f"{number} right"] for number in range(20)]
    with ThreadPoolExecutor(5) as clients:
        answers = list(clients.map(lambda tags: api.put(f"{address}/tags", json={"tags": tags}), wanted))
    assert [answer.json()["tags"] for answer in answers] == wanted
    assert api.get(address).json()["tags"] in wanted


def test_todos_created_at_once_share_their_tags(api: Client, owner: int) -> None:
    """Requests that make the same tags in opposite orders neither deadlock nor make one twice."""
    rounds = [[f"{number} of round {turn}" for number in range(10, 30)] for turn in range(40)]
    bodies = [
        {"owner_id": owner, "title": "Sweep", "tags": tags}
        for names in rounds
        for tags in (names, names[::-1], names, names[::-1])
    ]
    with ThreadPoolExecutor(4) as clients:
        answers = list(clients.map(lambda body: api.post("/v1/todos", json=body), bodies))
    assert {answer.status_code for answer in answers} == {201}
    assert [answer.json()["tags"] for answer in answers] == [names for names in rounds for _ in range(4)]
    assert sorted(tag["name"] for tag in api.rows("tags")) == sorted(name for names in rounds for name in names)
