"""Every list asks the database as often for a hundred rows as for one, and ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.queries.routes import lists, read_document
from harness.service import Client
from tests.api.examples import EXAMPLES, ROWS

pytestmark = pytest.mark.api

LISTS = lists(read_document(Path(__file__).parents[2]))


@pytest.mark.growth
@pytest.mark.parametrize("route", LISTS)
def test_a_list_costs_the_same_however_many_rows_there_are(api: Client, rows: int, route: str) -> None:
    """Equal counts at 1, 10 and 100 rows, each with a parent of its own; with a limit when none is asked for."""
    if route not in ROWS:
        pytest.fail(f"{route} has nothing in ROWS of tests/api/examples.py that makes rows for it: add it", False)
    ROWS[route](api, rows)
    api.get(route.removeprefix("GET ")).raise_for_status()


@pytest.mark.growth
def test_a_filtered_page_costs_the_same(api: Client, rows: int) -> None:
    """The list of one owner's todos with a tag, and its next page."""
    ROWS["GET /v1/todos"](api, rows)
    page = api.get("/v1/todos", params={"tag": "home", "limit": 5}).raise_for_status().json()
    if page["next"]:
        api.get("/v1/todos", params={"tag": "home", "limit": 5, "cursor": page["next"]}).raise_for_status()


def test_every_maker_of_rows_has_its_list() -> None:
    """What makes rows for a list that is gone is removed."""
    assert set(ROWS) <= set(LISTS) <= set(EXAMPLES)
