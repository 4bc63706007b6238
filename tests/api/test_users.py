"""/v1/users."""

from __future__ import annotations

import pytest

from harness.api.client import Client

pytestmark = pytest.mark.api

LARGEST_ID = 2**53 - 1


def test_a_user_is_created_and_read_back(api: Client) -> None:
    """What was sent is stored, and Location says where it is."""
    created = api.post("/v1/users", json={"email": "ada@example.org"})
    assert created.status_code == 201
    assert created.json()["email"] == "ada@example.org"
    read = api.get(created.headers["Location"])
    assert (read.status_code, read.json()) == (200, created.json())


def test_an_address_is_taken_in_any_case(api: Client) -> None:
    """The second user of an address gets 409, with the field to change, and nothing is stored."""
    api.post("/v1/users", json={"email": "ada@example.org"})
    again = api.post("/v1/users", json={"email": "Ada@Example.org"})
    assert (again.status_code, again.json()["field"]) == (409, "email")
    assert [row["email"] for row in api.rows("users")] == ["ada@example.org"]


@pytest.mark.parametrize("email", ["", "ada", "ada@", "ada@host", "a b@example.org", "ada\0@example.org", "é@x.org"])
def test_an_invalid_address_is_refused(api: Client, email: str) -> None:
    """422 names the field, and nothing is stored."""
    refused = api.post("/v1/users", json={"email": email})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "body.email")
    assert api.rows("users") == []


def test_the_longest_address_is_taken_and_a_longer_one_refused(api: Client) -> None:
    """The API's bound is the database's bound: 254 characters (RFC 5321, section 4.5.3.1)."""
    longest = f"{'a' * 64}@{'.'.join(['b' * 61] * 3)}.de"
    assert len(longest) == 253
    assert api.post("/v1/users", json={"email": longest + "x"}).status_code == 201
    assert api.post("/v1/users", json={"email": longest + "xx"}).status_code == 422


@pytest.mark.parametrize(("user_id", "status"), [(1, 404), (LARGEST_ID, 404), (LARGEST_ID + 1, 422), (0, 422)])
def test_a_user_who_is_not_there_is_a_problem(api: Client, user_id: int, status: int) -> None:
    """404 for any id that could be one, 422 for one that could not."""
    answer = api.get(f"/v1/users/{user_id}")
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
