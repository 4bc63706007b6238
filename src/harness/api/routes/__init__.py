"""The routes of an app, from its OpenAPI document (version 3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.api.application import environment, make_app
from harness.api.routes.prefixes import describe
from harness.config import load_config
from harness.errors import HarnessError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
ALTERNATIVES = ("anyOf", "oneOf", "allOf")
PLAIN = ("string", "integer", "number", "boolean", "null")
DESCRIBING = {"properties", "enum", "const", *ALTERNATIVES}
"""Keywords that describe the content of a JSON schema without a plain type."""


def read_document(root: Path) -> dict[str, Any]:
    """Return the OpenAPI document of the app that `root`/pyproject.toml names, and of the apps that it mounts.

    Raises:
        HarnessError: when the app cannot be made, or describes no routes.
    """
    config = load_config(root)
    with environment(config):
        app = make_app(config)
    if not hasattr(app, "openapi"):
        raise HarnessError(
            f"{config.app} has no OpenAPI document: it is {type(app).__name__}, and has no method openapi",
            remedy="name the FastAPI object or its factory; add middleware with app.add_middleware",
        )
    return describe(app)


def routes(document: Mapping[str, Any]) -> list[str]:
    """Return every route as `GET /v1/todos`, sorted."""
    return sorted(f"{method.upper()} {path}" for path, method, _ in _operations(document))


def path_values(template: str, path: str) -> dict[str, str]:
    """Return the values that a path has for the parameters of a template; {} if it does not fit."""
    names = re.split(r"\{(\w+)[^}]*\}", template)
    pattern = "".join(f"(?P<{part}>[^/]+)" if number % 2 else re.escape(part) for number, part in enumerate(names))
    found = re.search(f"{pattern}$", path)
    return found.groupdict() if found else {}


def lists(document: Mapping[str, Any]) -> list[str]:
    """Return the GET routes that answer with a list: an array, or an object that holds an array of objects.

    The array may be at any depth. An array of scalars in an object, such as a todo's tags, is not a list.
    """
    return _reads(document, lambda schema: _is_list(document, schema))


def untyped(document: Mapping[str, Any]) -> list[str]:
    """Return the GET routes whose answer may hold a list that the document does not describe (`dict[str, Any]`)."""
    typed = set(lists(document))
    return [route for route in _reads(document, lambda schema: _is_open(document, schema)) if route not in typed]


def _reads(document: Mapping[str, Any], wanted: Callable[[Mapping[str, Any]], bool]) -> list[str]:
    """Return the GET routes whose answer 200 is JSON of a wanted schema, sorted."""
    answers = [(path, _answer(operation)) for path, method, operation in _operations(document) if method == "get"]
    return sorted(f"GET {path}" for path, answer in answers if answer is not None and wanted(answer))


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _answer(operation: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the JSON schema of the answer 200; None if it is not JSON."""
    content = operation.get("responses", {}).get("200", {}).get("content", {})
    schema: Mapping[str, Any] | None = content.get("application/json", {}).get("schema")
    return schema


def _is_list(document: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    if resolve(document, schema).get("type") == "array":
        return True
    arrays = [part for part in _parts(document, schema) if part.get("type") == "array" and "prefixItems" not in part]
    return any(
        inner.get("type") not in PLAIN for array in arrays for inner in choices(document, array.get("items", {}))
    )


def _is_open(document: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    return any(_takes_more(part) for part in _parts(document, schema))


def _takes_more(part: Mapping[str, Any]) -> bool:
    """Return whether a schema allows properties that it does not describe, or any value."""
    silent = not DESCRIBING & part.keys() and part.get("type", "object") == "object"
    return part.get("additionalProperties", silent) in (True, {})


def choices(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a schema with references resolved or, if it has `anyOf` and the like, each alternative."""
    schema = resolve(document, schema)
    alternatives = [each for key in ALTERNATIVES for each in schema.get(key, ())]
    for each in alternatives:
        yield from choices(document, each)
    if not alternatives:
        yield schema


def _parts(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and those within it, except items of arrays, each once: schemas may be recursive."""
    ahead, seen = [schema], set[int]()
    while ahead:
        part = resolve(document, ahead.pop())
        if id(part) not in seen:
            seen.add(id(part))
            alternatives = [each for key in ALTERNATIVES for each in part.get(key, ())]
            more = part.get("additionalProperties")
            ahead += [*alternatives, *part.get("properties", {}).values(), *([more] if isinstance(more, dict) else [])]
            yield part


def resolve(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow `$ref` inside the document."""
    while "$ref" in schema:
        found: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema
