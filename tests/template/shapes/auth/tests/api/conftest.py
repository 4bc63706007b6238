"""How the clients of these tests log in."""

from __future__ import annotations

import pytest

from harness.api.client import Client, Login
from harness.config import Config


@pytest.fixture(scope="session")
def login(harness_config: Config) -> Login:
    """Log in with the API key, and with the token of a new user."""

    def login(api: Client, user: str) -> dict[str, str]:
        key = {"X-API-Key": harness_config.environment["APP_API_KEY"]}
        answer = api.post("/v1/users", json={"email": f"{user}@example.org"}, headers=key).raise_for_status()
        return key | {"Authorization": f"Bearer {answer.json()['token']}"}

    return login
