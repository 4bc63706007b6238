"""What the outermost middleware adds to a response, and when it counts a request."""

from __future__ import annotations

from typing import Any

from sealy.main import create_app
from sealy.runtime.observe import Observe, Observed
from tests.sealy.asgi import SETTINGS, Reply, ask, scope


async def streaming(_scope: Any, _receive: Any, send: Any) -> None:
    """Answers in two parts, which a cache may keep."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"max-age=60")]})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    await send({"type": "http.response.body", "body": b"two"})


def test_a_route_may_allow_caching() -> None:
    """The route's own Cache-Control is the only one in the response."""
    reply = ask(Observe(streaming, [], [], SETTINGS), scope("GET", "/"))
    assert reply.headers["cache-control"] == "max-age=60"


def test_a_streamed_response_is_counted_once() -> None:
    """It counts when its last part is sent."""
    noted: list[Observed] = []
    assert ask(Observe(streaming, [], [noted.append], SETTINGS), scope("GET", "/")).body == b"onetwo"
    assert [request.status for request in noted] == [200]


def test_an_unexpected_error_is_answered_as_completely_as_any_other() -> None:
    """The 500 is a problem with request id and security headers, and the error still reaches the server's log."""
    app = create_app(SETTINGS)

    @app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError("secret")

    reply = Reply()
    try:
        ask(app, scope("GET", "/broken", {"x-request-id": b"mine"}), reply=reply)
    except ZeroDivisionError:
        reply.body += b" raised"
    assert (reply.status, reply.headers["x-request-id"], reply.headers["cache-control"]) == (500, "mine", "no-store")
    assert reply.headers["content-type"] == "application/problem+json"
    assert (b"secret" in reply.body, reply.body.endswith(b" raised")) == (False, True)
