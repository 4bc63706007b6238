"""The filters of a list: its query parameters in the OpenAPI document, and the values to send for each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from harness.api.routes import ALTERNATIVES, choices, resolve

FORMATS = {
    "date": "2027-01-31",
    "date-time": "2027-01-31T18:00:00Z",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
"""By format, a value that every parameter of the format takes."""

MOST = 128
"""Combinations of one list that are all sent; if there are more, those of every two filters are."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A query parameter and the values to send: its examples, or else those that its type allows.

    `required` if the list needs it; `described` unless the document has neither an example, nor a default, nor a type
    for which any value will do.
    """

    name: str
    values: tuple[Any, ...]
    required: bool
    described: bool


def filters(document: Mapping[str, Any], route: str, given: Iterable[str] = ()) -> list[Filter]:
    """Return the filters of a list, such as `GET /v1/users/{user_id}/todos`, without those that are `given`."""
    item = document["paths"][route.removeprefix("GET ")]
    parameters = [resolve(document, each) for each in (*item.get("parameters", ()), *item["get"].get("parameters", ()))]
    return [_filter(document, each) for each in parameters if each["in"] == "query" and each["name"] not in {*given}]


def combined(chosen: Iterable[Filter]) -> Iterator[dict[str, Any]]:
    """Yield each combination of filters as query parameters, the one with the fewest first."""
    ways = [[*([] if each.required else [{}]), *({each.name: value} for value in each.values)] for each in chosen]
    if math.prod(map(len, ways)) <= MOST:
        found = [*product(*ways)]
    else:
        found = [each for pair in combinations(range(len(ways)), 2) for each in _all_of(ways, pair)]
        found.append(tuple(way[-1] for way in ways))
    merged = ({name: value for part in parts for name, value in part.items()} for parts in found)
    yield from {repr(each): each for each in merged}.values()


def _all_of(ways: Sequence[list[dict[str, Any]]], varied: Sequence[int]) -> Iterator[tuple[dict[str, Any], ...]]:
    """Yield all combinations of the filters with these numbers, and of the others only the first way."""
    return product(*(way if number in varied else way[:1] for number, way in enumerate(ways)))


def _filter(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> Filter:
    schema = parameter.get("schema", {})
    kinds = [kind for kind in choices(document, schema) if kind.get("type") != "null"]
    default = schema.get("default")
    values = [value for part in (parameter, schema, *kinds) for value in _examples(part)]
    if not values:
        shared = {key: value for key, value in schema.items() if key not in ALTERNATIVES}
        values = [value for kind in kinds for value in _made(document, {**shared, **kind}, free=default is None)]
    others = tuple(value for value in values if value != default)
    return Filter(parameter["name"], others, parameter.get("required", False), bool(values) or default is not None)


def _examples(part: Mapping[str, Any]) -> list[Any]:
    """Return the examples of a parameter, `{name: {"value": …}}` in OpenAPI, or of a schema, a list in JSON Schema."""
    examples = part.get("examples", ())
    if isinstance(examples, Mapping):
        examples = [each["value"] for each in examples.values() if "value" in each]
    return [*examples, *([part["example"]] if "example" in part else [])]


def _made(document: Mapping[str, Any], kind: Mapping[str, Any], *, free: bool) -> list[Any]:
    """Return each value of a type that has few, and one of a type for which any will do if `free`."""
    match kind:
        case {"enum": list(values)}:
            return values
        case {"const": value}:
            return [value]
        case {"type": "boolean"}:
            return [True, False]
        case {"type": "array", "items": items}:
            return [[value] for each in choices(document, items) for value in _made(document, each, free=free)]
        case {"type": "integer" | "number"} if free and "multipleOf" not in kind:
            least = kind.get("minimum", kind.get("exclusiveMinimum", 0) + 1)
            return [min(least, kind.get("maximum", least))]
        case {"type": "string", "format": known} if free and known in FORMATS:
            return [FORMATS[known]]
        case {"type": "string"} if free and not {"format", "pattern"} & kind.keys():
            return ["a" * max(1, kind.get("minLength", 1))]
    return []
