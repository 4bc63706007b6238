"""What the API's tests share: somebody to own todos."""

from __future__ import annotations

from typing import Any

import pytest

from harness.api.client import Client


@pytest.fixture
def owner(api: Client) -> int:
    """The id of a user who has nothing yet."""
    user: dict[str, Any] = api.post("/v1/users", json={"email": "owner@example.org"}).json()
    return int(user["id"])
