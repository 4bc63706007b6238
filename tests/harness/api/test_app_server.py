"""One uvicorn serves the app of each test, also when the app does not start or fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness.api.app_server import AppServer
from harness.errors import HarnessError


@pytest.fixture
def app_server() -> Iterator[AppServer]:
    """A service of this test's own, which no app has had before."""
    server = AppServer()
    yield server
    server.close()


def get(app_server: AppServer) -> httpx.Response:
    """What a request on a new connection is answered with."""
    return httpx.get(app_server.base_url, trust_env=False, timeout=30)


def finished(app_server: AppServer) -> bool:
    """Whether the app returns from its last request."""
    return app_server.inflight.last is not None and app_server.inflight.last.finished.wait(10)


async def lifespan(scope: Any, receive: Any, send: Any) -> bool:
    """Start and stop as ASGI wants it; whether this was a lifespan."""
    if scope["type"] != "lifespan":
        return False
    for step in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{step}.complete"})
    return True


async def broken_at_start(scope: Any, receive: Any, send: Any) -> None:
    """Says that it cannot start."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


async def broken_before(scope: Any, receive: Any, send: Any) -> None:
    """Fails in each request, before it has answered."""
    if not await lifespan(scope, receive, send):
        raise ZeroDivisionError


async def broken_after(scope: Any, receive: Any, send: Any) -> None:
    """Fails in each request, after its answer."""
    if not await lifespan(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"done"})
        raise ZeroDivisionError


def test_an_app_that_does_not_start_is_named(app_server: AppServer) -> None:
    """The test fails at once, and says which app and where its log is."""
    with (
        pytest.raises(HarnessError, match="shop:app did not start"),
        app_server.run(broken_at_start, "shop:app"),
    ):
        pytest.fail("it started")


def test_a_failing_request_is_a_500_as_in_production(app_server: AppServer) -> None:
    """An app that raises before its answer is answered for by the server, and goes on."""
    with app_server.run(broken_before, "shop:app"):
        assert [get(app_server).status_code for _ in range(2)] == [500, 500]
    assert finished(app_server)


def test_a_failure_after_the_answer_leaves_the_answer_whole(
    app_server: AppServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What is lost is the work behind it: that is logged, and the connection serves on."""
    with (
        app_server.run(broken_after, "shop:app"),
        httpx.Client(base_url=app_server.base_url, trust_env=False) as client,
    ):
        assert [client.get("/").text for _ in range(2)] == ["done", "done"]
        assert finished(app_server)
    assert caplog.text.count("the app failed on GET /") == 2


def test_a_request_after_its_test_finds_no_app(app_server: AppServer, caplog: pytest.LogCaptureFixture) -> None:
    """The log reports a client that outlives its test; it never reaches the next test's app."""
    servers = logging.getLogger("uvicorn.error")
    servers.addHandler(caplog.handler)  # an app before this one may have kept the server's lines for its own
    with app_server.run(broken_before, "shop:app"):
        pass
    assert get(app_server).status_code == 500
    assert "its client outlived its test" in caplog.text
    servers.removeHandler(caplog.handler)
