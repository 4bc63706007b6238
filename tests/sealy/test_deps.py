"""How the routes call their handlers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from fastapi import FastAPI
from fastapi.sse import EventSourceResponse

from sealy.api import deps
from tests.sealy.asgi import ask, scope


def test_a_plain_handler_takes_one_trip_to_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may wait there, and FastAPI takes no second trip to validate its response; an async handler takes none."""
    app = FastAPI()
    app.router.route_class = deps.Route
    threads: dict[str, int] = {}
    trips: list[object] = []

    async def in_thread(handler: object, *arguments: object, **values: object) -> object:
        trips.append(handler)
        return await asyncio.to_thread(handler, *arguments, **values)  # type: ignore[arg-type]

    monkeypatch.setattr("sealy.api.deps.run_in_threadpool", in_thread)
    monkeypatch.setattr("fastapi.routing.run_in_threadpool", in_thread)

    @app.get("/loop")
    async def loop() -> int:
        return threads.setdefault("loop", threading.get_ident())

    @app.get("/thread")
    def thread() -> int:
        return threads.setdefault("thread", threading.get_ident())

    assert [ask(app, scope("GET", path)).status for path in ("/loop", "/thread")] == [200, 200]
    assert threads["loop"] == threading.get_ident() != threads["thread"]
    assert len(trips) == 1


def test_a_generator_is_left_to_the_framework() -> None:
    """What it yields becomes a stream of events, as in any other route."""
    app = FastAPI()
    app.router.route_class = deps.Route

    @app.get("/plain", response_class=EventSourceResponse)
    def plain() -> Iterator[int]:
        yield from (1, 2)

    @app.get("/async", response_class=EventSourceResponse)
    async def in_loop() -> AsyncIterator[int]:
        yield 1
        yield 2

    bodies = [ask(app, scope("GET", path)).body for path in ("/plain", "/async")]
    assert bodies == [b"data: 1\n\ndata: 2\n\n"] * 2
