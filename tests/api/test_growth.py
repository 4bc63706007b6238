"""Every list asks the database as often for a hundred rows as for one, and ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.api.client import Client
from harness.api.routes import lists, read_document, untyped
from tests.api.examples import EXAMPLES, ROWS

pytestmark = pytest.mark.api

DOCUMENT = read_document(Path(__file__).parents[2])
UNTYPED = untyped(DOCUMENT)
LISTS = sorted({*lists(DOCUMENT), *ROWS.keys() & {*UNTYPED}})
ADD = "add to ROWS of tests/api/examples.py what makes rows for it, so that its cost can be compared"


@pytest.mark.growth
@pytest.mark.parametrize("route", LISTS)
def test_a_list_costs_the_same_however_many_rows_there_are(api: Client, rows: int, route: str) -> None:
    """Equal counts at 1, 10 and 100 rows, each with its own parent; with a limit when none is asked for."""
    if route not in ROWS:
        pytest.fail(f"{route} answers with a list: {ADD}", False)
    api.get(ROWS[route](api, rows)).raise_for_status()
    if not api.last.items:
        pytest.fail(f"{route} lists none of the rows that ROWS of tests/api/examples.py makes for it", False)


def test_what_the_document_leaves_open_is_judged_by_its_answer(api: Client) -> None:
    """A GET without a schema (dict[str, Any]) whose example is answered with a list, at any depth, is a list."""
    found = []
    for route in UNTYPED:
        if route in EXAMPLES and route not in ROWS:
            api.send(EXAMPLES[route](api))
            if api.last.items is not None:
                found.append(f"{route} has no schema, and answered with a list: {ADD}")
    if found:
        pytest.fail("\n".join(found), False)


@pytest.mark.growth
def test_a_filtered_page_costs_the_same(api: Client, rows: int) -> None:
    """The list of one owner's todos with a tag, and its next page."""
    ROWS["GET /v1/todos"](api, rows)
    page = api.get("/v1/todos", params={"tag": "home", "limit": 5}).raise_for_status().json()
    if page["next"]:
        api.get("/v1/todos", params={"tag": "home", "limit": 5, "cursor": page["next"]}).raise_for_status()


def test_every_maker_of_rows_has_its_list() -> None:
    """What makes rows for a list that is gone is removed."""
    if gone := ROWS.keys() - {*LISTS}:
        names = ", ".join(sorted(gone))
        pytest.fail(
            f"not in the OpenAPI document as lists: {names}: remove them from ROWS of tests/api/examples.py", False
        )
