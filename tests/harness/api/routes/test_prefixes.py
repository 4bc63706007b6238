"""A route is its full template: with the prefixes of routers, and of apps that are mounted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from harness.api.routes import lists, routes
from harness.api.routes.prefixes import describe, template


class Item(BaseModel):
    """What is listed."""

    name: str


def items() -> list[Item]:
    """Answer with a list."""
    return []


def versioned() -> FastAPI:
    """An app with every kind of prefix: routers in routers, one router twice, and mounts in mounts."""
    router = APIRouter(prefix="/items")
    router.get("")(items)
    router.get("/{item_id:int}/files/{path:path}")(lambda: None)
    outer = APIRouter(prefix="/v1")
    outer.include_router(router)
    inner = FastAPI()
    inner.get("/items")(items)
    inner.include_router(router, prefix="/more")
    deep = FastAPI(openapi_url=None)
    deep.get("/items")(items)
    inner.mount("/deep", deep)
    plain = Starlette(routes=[Route("/text", lambda _: PlainTextResponse("text")), Mount("/inner", deep)])
    app = FastAPI()
    app.include_router(outer, prefix="/api")
    app.include_router(outer, prefix="/internal")
    app.mount("/v2", GZipMiddleware(inner))
    app.mount("/latest", inner)
    app.mount("/tenants/{tenant}", inner)
    app.mount("/plain", plain)
    return app


def template_of(app: Any, path: str, root_path: str = "") -> str | None:
    """The template of the route that serves a path; None if the app answers with 404."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "root_path": root_path,
        "query_string": b"",
        "headers": [],
        "server": ("test", 80),
        "state": {},
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    assert (sent[0]["status"] == 404) == (template(scope) is None)
    return template(scope)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/items", "/api/v1/items"),
        ("/internal/v1/items", "/internal/v1/items"),
        ("/api/v1/items/7/files/a/b", "/api/v1/items/{item_id}/files/{path}"),
        ("/v2/items", "/v2/items"),
        ("/v2/more/items/7/files/a", "/v2/more/items/{item_id}/files/{path}"),
        ("/latest/deep/items", "/latest/deep/items"),
        ("/tenants/a/items", "/tenants/{tenant}/items"),
        ("/tenants/7/more/items/7/files/7", "/tenants/{tenant}/more/items/{item_id}/files/{path}"),
        ("/plain/text", "/plain/text"),
        ("/plain/inner/items", "/plain/inner/items"),
        ("/v2/nowhere", None),
        ("/items", None),
    ],
)
def test_a_route_has_all_its_prefixes(path: str, expected: str | None) -> None:
    """The same router or app has another template under each prefix, and values of clients are no part of it."""
    assert template_of(versioned(), path) == expected


def test_the_path_that_a_proxy_removes_is_no_part() -> None:
    """A server's root path is not in the document either."""
    assert template_of(versioned(), "/proxy/v2/items", root_path="/proxy") == "/v2/items"
    assert template_of(versioned(), "/proxy/api/v1/items", root_path="/proxy") == "/api/v1/items"


def test_the_document_contains_the_mounted_apps() -> None:
    """Each route that is served is described once for each of its prefixes, also of an app that shows no document."""
    document = describe(versioned())
    files = "items/{item_id}/files/{path}"
    ends = ("items", "more/items", f"more/{files}", "deep/items")
    expected = [f"GET {prefix}/v1/{end}" for prefix in ("/api", "/internal") for end in ("items", files)]
    expected += [f"GET {prefix}/{end}" for prefix in ("/v2", "/latest", "/tenants/{tenant}") for end in ends]
    expected += ["GET /plain/inner/items"]
    assert routes(document) == sorted(expected)
    assert lists(document) == [route for route in sorted(expected) if route.endswith("items")]
    assert document["paths"]["/tenants/{tenant}/items"]["parameters"][0]["name"] == "tenant"


def test_components_of_the_same_name_are_kept_apart() -> None:
    """Two versions of an app usually have models of the same name."""

    class Item(BaseModel):
        """Another item."""

        title: str

    inner = FastAPI()
    inner.get("/item", response_model=Item)(lambda: None)
    app = FastAPI()
    app.get("/items")(items)
    app.mount("/v2", inner)
    schemas = describe(app)["components"]["schemas"]
    assert {name: [*schema["properties"]] for name, schema in schemas.items()} == {
        "Item": ["name"],
        "v2.Item": ["title"],
    }
    assert '"#/components/schemas/v2.Item"' in str(describe(app)).replace("'", '"')
    assert "v2.Item" not in str(app.openapi())
