"""The app's place behind one uvicorn: apps that do not start, that fail, and requests that come too late."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness.api.client import Service
from harness.config import HarnessError


@pytest.fixture
def service() -> Iterator[Service]:
    """A service of this test's own, which no app has had before."""
    service = Service()
    yield service
    service.close()


def get(service: Service) -> httpx.Response:
    """What a request on a new connection is answered with."""
    return httpx.get(service.base_url, trust_env=False, timeout=30)


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


def test_an_app_that_does_not_start_is_named(service: Service) -> None:
    """The test fails at once, and says which app and where its log is."""
    with (
        pytest.raises(HarnessError, match="shop:app did not start"),
        service.run(broken_at_start, "shop:app"),
    ):
        pytest.fail("it started")


def test_a_failing_request_is_a_500_as_in_production(service: Service) -> None:
    """An app that raises before its answer is answered for by the server, and goes on."""
    with service.run(broken_before, "shop:app"):
        assert [get(service).status_code for _ in range(2)] == [500, 500]
    assert service.inflight.wait()


def test_a_failure_after_the_answer_leaves_the_answer_whole(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """What is lost is the work behind it: that is logged, and the connection serves on."""
    with service.run(broken_after, "shop:app"), httpx.Client(base_url=service.base_url, trust_env=False) as client:
        assert [client.get("/").text for _ in range(2)] == ["done", "done"]
        assert service.inflight.wait()
    assert caplog.text.count("the app failed on GET /") == 2


def test_a_request_after_its_test_finds_no_app(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """A client that outlived its test is told so in the log: it must never reach the next test's app."""
    servers = logging.getLogger("uvicorn.error")
    servers.addHandler(caplog.handler)  # an app before this one may have kept the server's lines for its own
    with service.run(broken_before, "shop:app"):
        pass
    assert get(service).status_code == 500
    assert "a client outlived its test" in caplog.text
    servers.removeHandler(caplog.handler)
