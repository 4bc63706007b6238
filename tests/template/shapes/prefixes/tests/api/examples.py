"""An example request for every route, for the judges of all routes: the latency objective, growth, faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from harness.api.client import Client


def team(api: Client) -> int:
    """The id of a new team."""
    return int(api.post("/api/teams", json={"name": "Gardeners"}).raise_for_status().json()["id"])


def tasks(api: Client, rows: int) -> str:
    """So many more tasks of the same team."""
    (owner, *_) = api.rows("teams") or api.seed("teams", [{"name": "Gardeners"}])
    api.seed("tasks", [{"team_id": owner["id"], "title": "Water the plants"} for _ in range(rows)])
    return f"/api/teams/{owner['id']}/tasks"


def teams(api: Client, rows: int) -> str:
    """So many more teams."""
    api.seed("teams", [{"name": "Gardeners"} for _ in range(rows)])
    return "/v2/teams"


def _request(method: str, path: str, body: Mapping[str, Any] | None = None) -> Callable[[Client], httpx.Request]:
    """A request that needs nothing before it."""
    return lambda api: api.build_request(method, path, json=body)


def _of_team(method: str, path: str, body: Mapping[str, Any] | None = None) -> Callable[[Client], httpx.Request]:
    """A request for a new team."""
    return lambda api: api.build_request(method, path.format(team_id=team(api)), json=body)


def _first_event(path: str) -> Callable[[Client], httpx.Request]:
    """A request that hangs up after the first event of a stream."""
    return lambda api: api.build_request("GET", path.format(team_id=team(api)), extensions={"parts": 1})


EXAMPLES: Mapping[str, Callable[[Client], httpx.Request]] = {
    "GET /health": _request("GET", "/health"),
    "GET /ready": _request("GET", "/ready"),
    "POST /api/teams": _request("POST", "/api/teams", {"name": "Gardeners"}),
    "GET /api/teams/{team_id}/tasks": _of_team("GET", "/api/teams/{team_id}/tasks"),
    "POST /api/teams/{team_id}/tasks": _of_team("POST", "/api/teams/{team_id}/tasks", {"title": "Water the plants"}),
    "GET /api/teams/{team_id}/export": _of_team("GET", "/api/teams/{team_id}/export"),
    "GET /api/teams/{team_id}/events": _first_event("/api/teams/{team_id}/events"),
    "GET /v2/teams": _request("GET", "/v2/teams"),
    "GET /v2/teams/events": _first_event("/v2/teams/events"),
}
"""By route; each makes what it needs through the API, and returns the request to be judged."""

ROWS: Mapping[str, Callable[[Client, int], str]] = {"GET /api/teams/{team_id}/tasks": tasks, "GET /v2/teams": teams}
"""By list: adds this many rows to it, and returns the path to request."""


def listed(api: Client) -> str:
    """The path of a list that has a row; /ready if there is no list."""
    return next((make(api, 1) for make in ROWS.values()), "/ready")
