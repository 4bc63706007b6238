"""The routes of an app, from its OpenAPI document (version 3.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.config import load_config, load_object

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
NOWHERE = "postgresql://nobody@/nowhere?host=/nowhere"
"""An address for settings that nobody will use: the document is made without a connection."""


def read_document(root: Path) -> dict[str, Any]:
    """The OpenAPI document of the app that `root`/pyproject.toml names.

    Raises:
        harness.config.HarnessError: when the app cannot be loaded.
    """
    config = load_config(root)
    app = load_object(config.app)(load_object(config.settings)(database_url=NOWHERE))
    document: dict[str, Any] = app.openapi()
    return document


def routes(document: Mapping[str, Any]) -> list[str]:
    """Every route as `GET /v1/todos`, sorted."""
    return sorted(f"{method.upper()} {path}" for path, method, _ in _operations(document))


def lists(document: Mapping[str, Any]) -> list[str]:
    """The GET routes that answer with a list: an array, or an object that holds one."""
    return sorted(
        f"GET {path}"
        for path, method, operation in _operations(document)
        if method == "get" and _is_list(document, _answer(operation))
    )


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _answer(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """The JSON schema of the answer 200."""
    content = operation.get("responses", {}).get("200", {}).get("content", {})
    schema: Mapping[str, Any] = content.get("application/json", {}).get("schema", {})
    return schema


def _is_list(document: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    """Whether the schema is an array of objects, or an object with one among its own properties."""
    schema = _resolve(document, schema)
    if schema.get("type") == "array":
        return True
    inner = [_resolve(document, item) for item in schema.get("properties", {}).values()]
    return any(
        item.get("type") == "array" and _resolve(document, item.get("items", {})).get("type") == "object"
        for item in inner
    )


def _resolve(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow `$ref` inside the document."""
    while "$ref" in schema:
        found: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema
