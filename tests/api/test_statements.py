"""What the schema suite plans without the app: tests/schema/statements.json holds what each route sends."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.api.client import Client
from harness.api.routes import read_document
from tests.api.examples import EXAMPLES, ROWS

pytestmark = pytest.mark.api

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "tests" / "schema" / "statements.json"
REMEDY = "  remedy: pytest --update tests/api/test_statements.py, and commit the file"
DOCUMENT = read_document(ROOT)


def filters(path: str) -> Iterator[dict[str, Any]]:
    """Every choice of a list's parameters that have an example in the document."""
    parameters = DOCUMENT["paths"][path]["get"].get("parameters", [])
    given = {item["name"]: item["schema"]["examples"][0] for item in parameters if "examples" in item["schema"]}
    for count in range(len(given) + 1):
        yield from (dict(chosen) for chosen in combinations(given.items(), count))


def requests(api: Client) -> Iterator[httpx.Request]:
    """The example of every route, and every list, with rows to be listed, with each choice of its filters."""
    for example in EXAMPLES.values():
        yield example(api)
    for route, make in ROWS.items():
        path = make(api, 10)
        yield from (api.build_request("GET", path, params=chosen) for chosen in filters(route.removeprefix("GET ")))


def test_the_recorded_statements_are_those_that_are_sent(api: Client, update: bool) -> None:
    """A statement that is new, changed or gone fails, unless `--update` writes the file, which is then committed."""
    routes: dict[str, set[str]] = defaultdict(set)
    for request in requests(api):
        api.send(request).raise_for_status()
        for statement in api.last.recording.statements:
            if statement.kind == "query":
                text = re.sub(r"/\*.*?\*/$", "", statement.text)
                routes[" ".join(text.split())].add(api.last.route)
    sent = [{"routes": sorted(names), "text": text} for text, names in routes.items()]
    sent.sort(key=lambda item: (item["routes"], item["text"]))
    if update:
        RECORDED.write_text(json.dumps(sent, indent=2) + "\n", encoding="utf-8")
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    changes = [f"  + {describe(item)}" for item in sent if item not in recorded]
    changes += [f"  - {describe(item)}" for item in recorded if item not in sent]
    if changes or sent != recorded:
        pytest.fail("\n".join([f"{RECORDED} is not what the API sends", *changes, REMEDY]), pytrace=False)


def describe(item: dict[str, Any]) -> str:
    """Return a recorded statement in one line, with its routes."""
    return f"{', '.join(item['routes'])}: {item['text']}"
