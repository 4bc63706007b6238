"""What the outermost middleware adds to a response, and when it counts a request."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

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


def prefixed(noted: list[Observed]) -> FastAPI:
    """An app with the same router under two prefixes, and with mounts in mounts."""
    router = APIRouter(prefix="/items")
    router.get("/{item_id:path}")(lambda item_id: item_id)
    inner = FastAPI()
    inner.include_router(router)
    app = FastAPI()
    for prefix in ("/api/v1", "/api/v2"):
        app.include_router(router, prefix=prefix)
    app.mount("/v3", inner)
    app.mount("/latest", inner)
    app.mount("/tenants/{tenant}", Starlette(routes=[Mount("/inner", inner)]))
    app.add_middleware(Observe, routes=app.routes, notes=[noted.append], settings=SETTINGS)
    return app


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/v1/items/a/b", "/api/v1/items/{item_id}"),
        ("/api/v2/items/1", "/api/v2/items/{item_id}"),
        ("/v3/items/1", "/v3/items/{item_id}"),
        ("/latest/items/1", "/latest/items/{item_id}"),
        ("/tenants/*/inner/items/1", "/tenants/{tenant}/inner/items/{item_id}"),
        ("/v3/nowhere", "<none>"),
    ],
)
def test_a_route_has_the_prefixes_of_its_routers_and_mounts(path: str, route: str) -> None:
    """Logs, metrics and comments of statements name the full template; no value of a client is part of it."""
    noted: list[Observed] = []
    ask(prefixed(noted), scope("GET", path))
    assert [each.route for each in noted] == [route]


def test_a_path_that_a_proxy_removes_is_no_part_of_the_route() -> None:
    """The root path of a server is not the app's."""
    noted: list[Observed] = []
    ask(prefixed(noted), {**scope("GET", "/proxy/v3/items/1"), "root_path": "/proxy"})
    assert [each.route for each in noted] == ["/v3/items/{item_id}"]
