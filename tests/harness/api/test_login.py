"""Clients are logged in once, each as its own user, and the login is not judged."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from harness.api.client import Client
from harness.databases.databases import Database
from harness.errors import HarnessError
from harness.findings import BrokenPromiseError
from tests.harness.api.faulty_app import Start

CODE = """
from fastapi import Cookie, Response

@app.post("/sessions/{user}")
def log_in(user: str, response: Response):
    if user == "mallory":
        raise HTTPException(403, "not you")
    with reads.connect() as connection:
        for _ in range(3):
            connection.scalar(select(Item.id))
    response.set_cookie("session", user, secure=True, httponly=True)
    return f"token of {user}"

@app.get("/who")
def who(session: str = Cookie(""), authorization: str = Header("")):
    return [session, authorization]
"""

Open = Callable[[], Client]


def login(api: Client, user: str) -> dict[str, str]:
    """Log in with a request, which sets a cookie for HTTPS and answers with a token."""
    return {"Authorization": api.post(f"/sessions/{user}").raise_for_status().json()}


@pytest.fixture
def client(faulty_app: Start, empty_database: Database) -> Client:
    """A client that can log in."""
    judged = faulty_app(CODE)
    return Client(judged.base_url, empty_database, judged.transport, login=login)


def who(client: httpx.Client) -> list[str]:
    """The cookie and the header that arrive."""
    found: list[str] = client.get("/who").json()
    return found


def test_each_user_has_headers_and_cookies(client: Client) -> None:
    """A second user and nobody do not share them; a client of another process of the app takes them over."""
    client.log_in("ada")
    bob = client.as_user("bob")
    assert [who(each) for each in (client, bob, client.as_user(None))] == [
        ["ada", "token of ada"],
        ["bob", "token of bob"],
        ["", ""],
    ]
    assert (client.as_user("bob"), bob.as_user("ada")) == (bob, client)
    with bob.at(str(client.base_url)) as other:
        assert who(other) == ["bob", "token of bob"]


def test_headers_alone_are_enough(client: Client, empty_database: Database) -> None:
    """For an app with an API key and without users."""
    keyed = Client(client.base_url, empty_database, client.transport, login={"Authorization": "key"})
    keyed.log_in("ada")
    assert [who(keyed), who(keyed.as_user(None))] == [["", "key"], ["", ""]]


def test_a_request_of_an_example_carries_them(client: Client) -> None:
    """Also one that is built before it is sent, as examples are."""
    client.log_in("ada")
    assert client.send(client.build_request("GET", "/who")).json() == ["ada", "token of ada"]


def test_logging_in_is_not_judged(client: Client) -> None:
    """A loop in the route for it fails the tests of that route, and not all others."""
    client.log_in("ada")
    with pytest.raises(HarnessError, match="this test has made none"):
        _ = client.last
    with pytest.raises(BrokenPromiseError, match="query-loop: POST /sessions/"):
        client.post("/sessions/ada")


def test_a_refused_login_is_one_sentence(client: Client) -> None:
    """It names the user, the request and the answer; no frames of the client."""
    with pytest.raises(HarnessError, match="could not log in 'mallory': 403 for POST /sessions/mallory") as caught:
        client.as_user("mallory")
    assert 'the answer: {"detail":"not you"}' in str(caught.value)
