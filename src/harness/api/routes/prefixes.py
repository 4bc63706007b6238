"""Path templates with the prefixes of routers and of mounted apps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi.routing import iter_route_contexts
from starlette.routing import Mount


def template(scope: Any) -> str | None:
    """Return the path template of the route that served an ASGI request; None if no route did.

    FastAPI keeps the prefixes of `include_router` in the scope, with the route as it was declared; a mount moves the
    beginning of the path to `root_path`.
    """
    route = scope.get("route")
    included = scope.get("fastapi", {}).get("effective_route_context")
    found = included if included is not None and included.original_route is route else route
    if not hasattr(found, "endpoint"):  # a mount, whose app has no routes
        return None
    path: str = found.path_format
    root = scope.get("root_path", "")
    segments = root.removeprefix(scope.get("app_root_path", root)).split("/")
    names = {
        str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items() if f"{{{name}}}" not in path
    }
    return "/".join(names.get(segment, segment) for segment in segments) + path


def describe(app: Any) -> dict[str, Any]:
    """Return the OpenAPI document of an app with the paths of the apps that it mounts; each must be a FastAPI app.

    The names of their components get the prefix too, since two apps may use the same name.
    """
    document: dict[str, Any] = json.loads(json.dumps(app.openapi()))
    for prefix, mounted in _mounted(app.routes):
        name = re.sub(r"[^\w.-]+", "-", prefix).strip("-")
        text = re.sub(r'"#/components/(\w+)/', rf'"#/components/\1/{name}.', json.dumps(mounted.openapi()))
        inner = json.loads(text)
        parameters = [
            {"name": each, "in": "path", "required": True, "schema": {"type": "string"}}
            for each in re.findall(r"{(\w+)}", prefix)
        ]
        for path, item in inner["paths"].items():
            document["paths"][prefix + path] = {**item, "parameters": parameters} if parameters else item
        for kind, components in inner.get("components", {}).items():
            known = document.setdefault("components", {}).setdefault(kind, {})
            known |= {key if kind == "securitySchemes" else f"{name}.{key}": each for key, each in components.items()}
    return document


def _mounted(routes: Sequence[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each mounted app that has a document, at any depth, with the path template of its mount."""
    for context in iter_route_contexts(routes):
        if not isinstance(context.original_route, Mount):
            continue
        path = prefix + str(context.path_format).removesuffix("/{path}")
        app = context.app
        while not hasattr(app, "routes") and hasattr(app, "app"):  # middleware
            app = app.app
        if hasattr(app, "openapi"):
            yield path, app
        yield from _mounted(getattr(app, "routes", ()), path)
