"""An example request for every route, for the judges of all routes: the latency objective, growth, faults.

A route without an example fails `test_objectives.py`, which names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import httpx

from harness.api.client import Client

_numbers = count(1)


def user(api: Client) -> int:
    """The id of somebody new."""
    answer = api.post("/v1/users", json={"email": f"user{next(_numbers)}@example.org"})
    return int(answer.raise_for_status().json()["id"])


def todo(api: Client, owner: int | None = None) -> int:
    """The id of a todo with two tags; without `owner`, of somebody new."""
    owner = user(api) if owner is None else owner
    answer = api.post("/v1/todos", json={"owner_id": owner, "title": "Water the plants", "tags": ["home", "green"]})
    return int(answer.raise_for_status().json()["id"])


def todos(api: Client, rows: int) -> str:
    """So many more todos with a tag, each of somebody new."""
    owners = api.seed("users", [{"email": f"user{next(_numbers)}@example.org"} for _ in range(rows)])
    made = api.seed("todos", [{"owner_id": owner["id"], "title": "Water the plants"} for owner in owners])
    named = api.seed("tags", [{"owner_id": owner["id"], "name": "home"} for owner in owners])
    pairs = zip(made, named, strict=True)
    api.seed("todo_tags", [{"todo_id": todo["id"], "tag_id": tag["id"]} for todo, tag in pairs])
    return "/v1/todos"


def tags(api: Client, rows: int) -> str:
    """So many more tags in use, each of somebody new, counted."""
    todos(api, rows)
    with api.operator() as operator:
        operator.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY tags_in_use")
    return "/v1/tags"


def _request(method: str, path: str, body: Mapping[str, Any] | None = None) -> Callable[[Client], httpx.Request]:
    """A request that needs nothing before it."""
    return lambda api: api.build_request(method, path, json=body)


def _of_todo(method: str, path: str, body: Mapping[str, Any] | None = None) -> Callable[[Client], httpx.Request]:
    """A request for a new todo."""
    return lambda api: api.build_request(method, path.format(todo_id=todo(api)), json=body)


EXAMPLES: Mapping[str, Callable[[Client], httpx.Request]] = {
    "GET /health": _request("GET", "/health"),
    "GET /ready": _request("GET", "/ready"),
    "POST /v1/users": lambda api: api.build_request(
        "POST", "/v1/users", json={"email": f"new{next(_numbers)}@example.org"}
    ),
    "GET /v1/users/{user_id}": lambda api: api.build_request("GET", f"/v1/users/{user(api)}"),
    "POST /v1/todos": lambda api: api.build_request(
        "POST", "/v1/todos", json={"owner_id": user(api), "title": "Water the plants", "tags": ["home", "green"]}
    ),
    "GET /v1/todos": lambda api: api.build_request("GET", "/v1/todos", params={"owner_id": user(api)}),
    "GET /v1/tags": _request("GET", "/v1/tags"),
    "GET /v1/todos/{todo_id}": _of_todo("GET", "/v1/todos/{todo_id}"),
    "PATCH /v1/todos/{todo_id}": _of_todo("PATCH", "/v1/todos/{todo_id}", {"done": True}),
    "DELETE /v1/todos/{todo_id}": _of_todo("DELETE", "/v1/todos/{todo_id}"),
    "PUT /v1/todos/{todo_id}/tags": _of_todo("PUT", "/v1/todos/{todo_id}/tags", {"tags": ["home", "later"]}),
}
"""By route; each makes what it needs through the API, and returns the request to be judged."""

ROWS: Mapping[str, Callable[[Client, int], str]] = {"GET /v1/todos": todos, "GET /v1/tags": tags}
"""By list: adds this many rows to it, each with its own parent if it has one, and returns the path to request.

A list below one resource, such as /v1/users/{user_id}/todos, takes the same parent each time it is called.
"""


def listed(api: Client) -> str:
    """The path of a list that has a row; /ready if there is no list."""
    return next((make(api, 1) for make in ROWS.values()), "/ready")
