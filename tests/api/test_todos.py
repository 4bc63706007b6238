"""/v1/todos: create, read, change, delete."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.api.client import Client

pytestmark = pytest.mark.api

LARGEST_ID = 2**53 - 1


def create(api: Client, owner: int, **fields: Any) -> dict[str, Any]:
    """A todo of `owner` as the API answered it."""
    answer = api.post("/v1/todos", json={"owner_id": owner, "title": "Water the plants", **fields})
    assert answer.status_code == 201, answer.text
    todo: dict[str, Any] = answer.json()
    return todo


def test_a_todo_is_created_and_read_back(api: Client, owner: int) -> None:
    """Everything that was sent is read back, times in UTC, tags in order, and Location says where."""
    sent = {"title": "Pay rent", "due_at": "2027-01-31T18:00:00+02:00", "tags": ["money", "home"]}
    created = api.post("/v1/todos", json={"owner_id": owner, **sent})
    todo = created.json()
    assert (todo["title"], todo["due_at"], todo["tags"]) == ("Pay rent", "2027-01-31T16:00:00Z", ["home", "money"])
    assert (todo["owner_id"], todo["done"]) == (owner, False)
    assert api.get(created.headers["Location"]).json() == todo


def test_a_todo_needs_only_an_owner_and_a_title(api: Client, owner: int) -> None:
    """All else has a default."""
    todo = create(api, owner)
    assert (todo["done"], todo["due_at"], todo["tags"]) == (False, None, [])


@pytest.mark.parametrize("tags", [[], ["home"]])
def test_an_owner_who_is_not_there_is_a_conflict(api: Client, tags: list[str]) -> None:
    """409 names the field, with tags and without, and neither a todo nor a tag stays."""
    answer = api.post("/v1/todos", json={"owner_id": LARGEST_ID, "title": "Nobody's", "tags": tags})
    assert (answer.status_code, answer.json()["field"]) == (409, "owner_id")
    assert api.rows("todos") == api.rows("tags") == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "  "),
        ("title", None),
        ("title", "x" * 501),
        ("title", "nul\0"),
        ("owner_id", 0),
        ("owner_id", LARGEST_ID + 1),
        ("owner_id", 10**400),
        ("owner_id", True),
        ("owner_id", "1"),
        ("due_at", "2027-01-31"),
        ("due_at", "2027-01-31T18:00:00"),
        ("due_at", 1800000000),
        ("due_at", "0001-01-01T00:00:00+14:00"),
        ("due_at", "9999-12-31T23:59:59-14:00"),
        ("tags", ["home"] * 21),
        ("tags", None),
        ("done", True),
    ],
)
def test_a_field_out_of_bounds_is_refused_by_name(api: Client, field: str, value: object) -> None:
    """422 names the field, and nothing is stored."""
    refused = api.post("/v1/todos", json={"owner_id": 1, "title": "Water the plants", field: value})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, f"body.{field}")
    assert api.rows("todos") == []


def test_the_bounds_themselves_are_stored(api: Client, owner: int) -> None:
    """What the API lets through, the database takes: the longest title, the most and longest tags, far dates."""
    tags = [f"{number:02}".ljust(50, "ü") for number in range(20)]
    for due_at in ("1900-01-01T00:00:00Z", "9998-12-31T00:00:00Z"):
        todo = create(api, owner, title="💧" * 500, tags=tags, due_at=due_at)
        assert api.get(f"/v1/todos/{todo['id']}").json() == todo
        assert (todo["title"], todo["tags"], todo["due_at"]) == ("💧" * 500, tags, due_at)


def test_a_change_writes_only_the_named_fields(api: Client, owner: int) -> None:
    """What a PATCH does not name stays; null takes the due time away."""
    todo = create(api, owner, due_at="2027-01-31T18:00:00Z", tags=["home"])
    address = f"/v1/todos/{todo['id']}"
    assert api.patch(address, json={"done": True}).json() == {**todo, "done": True}
    changed = api.patch(address, json={"title": "Water them all", "due_at": None})
    assert changed.json() == {**todo, "done": True, "title": "Water them all", "due_at": None}
    assert api.get(address).json() == changed.json()


@pytest.mark.parametrize(
    "change", [{}, {"title": None}, {"done": None}, {"done": "yes"}, {"owner_id": 1}, {"id": 2}, {"done": True, "x": 1}]
)
def test_a_change_of_nothing_is_refused(api: Client, owner: int, change: dict[str, object]) -> None:
    """Nothing, null where a value is needed, and fields that cannot be changed: 422, and the todo stays."""
    todo = create(api, owner)
    assert api.patch(f"/v1/todos/{todo['id']}", json=change).status_code == 422
    assert api.get(f"/v1/todos/{todo['id']}").json() == todo


def test_clients_that_change_different_fields_at_once_all_succeed(api: Client, owner: int) -> None:
    """No change is lost, in ten rounds of three requests at once."""
    todo = create(api, owner)
    changes = [{"title": "Water them all"}, {"done": True}, {"due_at": "2027-01-31T18:00:00Z"}]
    with ThreadPoolExecutor(len(changes)) as clients:
        for _ in range(10):
            api.patch(f"/v1/todos/{todo['id']}", json={"title": "Sweep", "done": False, "due_at": None})
            answers = clients.map(lambda change: api.patch(f"/v1/todos/{todo['id']}", json=change).status_code, changes)
            assert list(answers) == [200] * 3
            expected = {**todo, "title": "Water them all", "done": True, "due_at": "2027-01-31T18:00:00Z"}
            assert api.get(f"/v1/todos/{todo['id']}").json() == expected


def test_a_deleted_todo_is_gone(api: Client, owner: int) -> None:
    """204 once, 404 from then on; its tag stays with the owner, the tag's place on it does not."""
    address = f"/v1/todos/{create(api, owner, tags=['home'])['id']}"
    gone = api.delete(address)
    assert (gone.status_code, gone.content) == (204, b"")
    assert [api.delete(address).status_code, api.get(address).status_code] == [404, 404]
    assert [tag["name"] for tag in api.rows("tags")] == ["home"]
    assert api.rows("todo_tags") == []


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("PUT", "/tags")])
def test_a_todo_that_is_not_there_is_a_problem(api: Client, method: str, path: str) -> None:
    """404 from every address below a todo, for the largest id too; 422 for what is no id."""
    bodies = {"PATCH": {"done": True}, "PUT": {"tags": ["home"]}}
    for todo_id, status in ((1, 404), (LARGEST_ID, 404), (LARGEST_ID + 1, 422), (0, 422), ("first", 422)):
        answer = api.request(method, f"/v1/todos/{todo_id}{path}", json=bodies.get(method))
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert api.rows("tags") == []
