"""An example request for every route, for the judges of all routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import httpx

from harness.api.client import Client

_numbers = count(1)


def note(api: Client) -> int:
    """The id of a new note of the user who is logged in."""
    return int(api.post("/v1/notes", json={"title": "Water the plants"}).raise_for_status().json()["id"])


def notes(api: Client, rows: int) -> str:
    """So many more notes of the user who is logged in, each with a comment."""
    (user, *_) = api.rows("users")
    made = api.seed("notes", [{"user_id": user["id"], "title": "Water the plants"} for _ in range(rows)])
    api.seed("comments", [{"note_id": row["id"], "body": "Twice a week"} for row in made])
    return "/v1/notes"


def _request(method: str, path: str, body: Mapping[str, Any] | None = None) -> Callable[[Client], httpx.Request]:
    """A request that needs nothing before it."""
    return lambda api: api.build_request(method, path, json=body)


def _of_note(method: str, path: str, body: Mapping[str, Any] | None = None) -> Callable[[Client], httpx.Request]:
    """A request for a new note."""
    return lambda api: api.build_request(method, path.format(note_id=note(api)), json=body)


EXAMPLES: Mapping[str, Callable[[Client], httpx.Request]] = {
    "GET /health": _request("GET", "/health"),
    "GET /ready": _request("GET", "/ready"),
    "POST /v1/users": lambda api: api.build_request(
        "POST", "/v1/users", json={"email": f"new{next(_numbers)}@example.org"}
    ),
    "POST /v1/notes": _request("POST", "/v1/notes", {"title": "Water the plants"}),
    "GET /v1/notes": _request("GET", "/v1/notes"),
    "GET /v1/notes/{note_id}": _of_note("GET", "/v1/notes/{note_id}"),
    "DELETE /v1/notes/{note_id}": _of_note("DELETE", "/v1/notes/{note_id}"),
    "POST /v1/notes/{note_id}/comments": _of_note("POST", "/v1/notes/{note_id}/comments", {"body": "Twice a week"}),
}
"""By route; each makes what it needs through the API, and returns the request to be judged."""

ROWS: Mapping[str, Callable[[Client, int], str]] = {"GET /v1/notes": notes}
"""By list: adds this many rows to it, and returns the path to request."""


def listed(api: Client) -> str:
    """The path of a list that has a row; /ready if there is no list."""
    return next((make(api, 1) for make in ROWS.values()), "/ready")
