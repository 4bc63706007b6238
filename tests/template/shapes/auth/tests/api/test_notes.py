"""/v1/notes: each user sees only their own."""

from __future__ import annotations

import pytest

from harness.api.client import Client
from tests.api.examples import EXAMPLES, note

pytestmark = pytest.mark.api

CLOSED = [route for route in EXAMPLES if "/v1/" in route]


def test_a_note_of_another_user_is_not_found(api: Client) -> None:
    """Neither read nor deleted, nor in the list."""
    path, bob = f"/v1/notes/{note(api)}", api.as_user("bob")
    assert [bob.get(path).status_code, bob.delete(path).status_code] == [404, 404]
    assert bob.get("/v1/notes").json()["items"] == []
    assert api.get(path).status_code == 200


@pytest.mark.parametrize("route", CLOSED)
def test_who_is_not_logged_in_is_refused(api: Client, route: str) -> None:
    """401 on every route, without a key and with another one."""
    request = EXAMPLES[route](api)
    nobody = api.as_user(None)
    for headers in ({}, {"X-API-Key": "guessed"}):
        answer = nobody.request(request.method, request.url, content=request.content, headers=headers)
        assert answer.status_code == 401
