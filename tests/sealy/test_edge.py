"""What the app refuses by itself, before any proxy's help, and what every answer carries."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from pydantic import SecretStr

from sealy.main import LARGEST_BODY, create_app
from sealy.runtime.observe import Observed
from sealy.settings import Settings
from tests.sealy.asgi import Reply, ask, scope

KEY = "a key of the edge alone"
URL = "postgresql://ada@localhost/todos"


def app(**settings: Any) -> FastAPI:
    """An app that no test lets near a database."""
    return create_app(Settings(database_url=SecretStr(URL), **settings))


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The client's address of each request that was answered, as the log sees it."""
    seen: list[str] = []

    def note(request: Observed) -> None:
        seen.append(request.scope["client"][0])

    monkeypatch.setattr("sealy.runtime.logs.note", note)
    return seen


def problem(reply: Reply) -> int:
    """The status of a problem."""
    assert reply.headers["content-type"] == "application/problem+json"
    return int(json.loads(reply.body)["status"])


@pytest.mark.parametrize("key", [None, b"", b"another key", KEY.encode() + b"!", KEY.encode()[:-1], b"\xff"])
@pytest.mark.parametrize("path", ["/v1/todos", "/ready", "/docs", "/nowhere", "/health/", "//health"])
def test_without_the_edge_key_nobody_gets_in(path: str, key: bytes | None) -> None:
    """403 for every path but the probe of the process, as a problem that tells nothing about the key."""
    reply = ask(app(edge_key=KEY), scope("GET", path, {} if key is None else {"x-edge-key": key}))
    assert problem(reply) == reply.status == 403
    assert KEY not in reply.body.decode()


@pytest.mark.parametrize(
    ("key", "answer"), [(b"another key", "websocket.http.response.start"), (KEY.encode(), "websocket.accept")]
)
def test_a_websocket_needs_the_edge_key_too(key: bytes, answer: str) -> None:
    """Without it the handshake is answered with 403, as a request is."""
    guarded = app(edge_key=KEY)
    sent: list[Any] = []

    @guarded.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    request = {**scope("GET", "/live", {"x-edge-key": key}), "type": "websocket", "scheme": "ws", "subprotocols": []}
    asyncio.run(guarded(request, receive, send))
    assert sent[0]["type"] == answer
    assert sent[0].get("status", 403) == 403


def test_with_the_edge_key_requests_are_served() -> None:
    """The right key opens every path; the platform's probe needs none."""
    guarded = app(edge_key=KEY)
    assert ask(guarded, scope("GET", "/docs", {"x-edge-key": KEY.encode()})).status == 200
    assert ask(guarded, scope("GET", "/health")).status == 200


def test_only_the_edge_names_the_client(clients: list[str]) -> None:
    """X-Client-IP counts with the right key, and only if it is an address; X-Forwarded-For never counts here."""
    guarded = app(edge_key=KEY)
    known = {"x-edge-key": KEY.encode()}
    forged = b"198.51.100.7"
    ask(guarded, scope("GET", "/health", {"x-client-ip": forged, "x-forwarded-for": forged}))
    ask(guarded, scope("GET", "/health", {"x-client-ip": forged, "x-edge-key": b"wrong"}))
    ask(guarded, scope("GET", "/health", known | {"x-client-ip": b"<script>"}))
    ask(guarded, scope("GET", "/health", known | {"x-client-ip": b"2001:db8::1"}))
    ask(app(), scope("GET", "/health", known | {"x-client-ip": forged}))
    assert clients == ["192.0.2.1", "192.0.2.1", "192.0.2.1", "2001:db8::1", "192.0.2.1"]


@pytest.mark.parametrize(
    "header", ["forwarded", "via", "x-forwarded-for", "x-real-ip", "cf-connecting-ip", "cf-ray", "x-edge-key"]
)
def test_metrics_are_not_shown_through_a_proxy(header: str) -> None:
    """A request that a proxy has passed on finds no such address; one from the same network does, key or none."""
    guarded = app(edge_key=KEY)
    assert problem(ask(guarded, scope("GET", "/metrics", {header: KEY.encode()}))) == 404
    assert ask(guarded, scope("GET", "/metrics")).status == 200


@pytest.mark.parametrize("chunks", [1, 100])
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_without_end_is_refused(announced: bool, chunks: int) -> None:
    """413 as a problem, whether or not the client says how much is to come."""
    body = (b" " * (LARGEST_BODY // chunks + 1),) * chunks
    headers = {"content-type": b"application/json"}
    if announced:
        headers["content-length"] = str(sum(map(len, body))).encode()
    reply = ask(app(), scope("POST", "/v1/users", headers), body)
    assert problem(reply) == reply.status == 413


@pytest.mark.parametrize("path", ["/health", "/nowhere", "/docs"])
def test_answers_are_careful(path: str) -> None:
    """No browser guesses a type, no cache keeps a copy unless the route says so."""
    headers = ask(app(), scope("GET", path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_settings_switch_things_off(clients: list[str]) -> None:
    """Each address and header that a setting names is gone with it."""
    bare = app(docs=False, metrics=False, server_timing=False, access_log=False)
    assert [ask(bare, scope("GET", path)).status for path in ("/docs", "/openapi.json", "/metrics")] == [404] * 3
    assert "server-timing" not in ask(bare, scope("GET", "/health")).headers
    assert clients == []


@pytest.mark.parametrize("short", ["", "x" * 15])
def test_a_key_that_can_be_guessed_is_refused(short: str) -> None:
    """An empty secret would let everybody in."""
    with pytest.raises(ValueError, match="edge_key"):
        app(edge_key=short)
