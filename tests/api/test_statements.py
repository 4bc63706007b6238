"""What the schema suite plans without the app: tests/schema/statements.json holds what each route sends."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.api.client import Client
from harness.api.routes import read_document
from harness.api.routes.filters import combined, filters
from tests.api.examples import EXAMPLES, ROWS

pytestmark = pytest.mark.api

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "tests" / "schema" / "statements.json"
REMEDY = "  remedy: python3 run.py api --update, and commit the file"
GIVE = "give it one that the list accepts, where it is declared: Query(examples=[…]), or Field(examples=[…]) in a model"
DOCUMENT = read_document(ROOT)


def requests(api: Client) -> Iterator[httpx.Request]:
    """The example of every route, and every list, with rows to be listed, with each combination of its filters."""
    for example in EXAMPLES.values():
        yield example(api)
    for route, make in ROWS.items():
        url = httpx.URL(make(api, 10))
        chosen = filters(DOCUMENT, route, given=url.params)
        if lacking := [each.name for each in chosen if not each.described]:
            pytest.fail(f"{route} has no example of its parameter {', '.join(lacking)}: {GIVE}", pytrace=False)
        yield from (api.build_request("GET", url.copy_merge_params(each)) for each in combined(chosen))


def test_the_recorded_statements_are_those_that_are_sent(api: Client, update: bool) -> None:
    """A statement that is new, changed or gone fails, unless `--update` writes the file, which is then committed."""
    routes: dict[str, set[str]] = defaultdict(set)
    for request in requests(api):
        answer = api.send(request)
        if not answer.is_success:
            refused = f"{request.method} {request.url.raw_path.decode()}: {answer.status_code} {answer.text[:500]}"
            remedy = f"  remedy: if it refuses a parameter that has no example, {GIVE}"
            pytest.fail(f"{api.last.route} refuses what is sent to record its statements\n  {refused}\n{remedy}", False)
        for statement in api.last.recording.queries:
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
