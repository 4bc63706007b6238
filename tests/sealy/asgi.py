"""Requests as a server would hand them to an app, also such as no server lets through."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from starlette.types import ASGIApp

from sealy.settings import Settings

SETTINGS = Settings(database_url=SecretStr("postgresql://ada@localhost/todos"))
"""For an app that connects to no database."""


@dataclass
class Reply:
    """What an app has sent."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def scope(method: str, path: str, headers: dict[str, bytes] | None = None) -> dict[str, Any]:
    """An HTTP scope (ASGI 3.0) from the address 192.0.2.1."""
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value) for name, value in (headers or {}).items()],
        "client": ("192.0.2.1", 4711),
        "http_version": "1.1",
    }


def ask(app: ASGIApp, request: dict[str, Any], body: tuple[bytes, ...] = (), reply: Reply | None = None) -> Reply:
    """Send one request with a body in chunks; what the app raises is raised, after `reply` has what it sent."""
    reply = reply or Reply()
    chunks = [*body, b""]

    async def receive() -> dict[str, Any]:
        if not chunks:
            await asyncio.Event().wait()  # the client stays
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            reply.body += message.get("body", b"")

    async def run() -> None:
        await app(request, receive, send)

    asyncio.run(run())
    return reply
