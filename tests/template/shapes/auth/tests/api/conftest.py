"""The client of these tests is logged in."""

from __future__ import annotations

import pytest

from harness.api.client import Client

KEY = {"X-API-Key": "secret"}


@pytest.fixture
def api(api: Client) -> Client:
    """A client with the API key, and with the token of a new user."""
    api.headers.update(KEY)
    answer = api.post("/v1/users", json={"email": "ada@example.org"})
    api.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['token']}"
    return api
