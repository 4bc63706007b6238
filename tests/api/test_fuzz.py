"""Requests that schemathesis generates from the OpenAPI document, and answers compared with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from harness.api.client import Client
from harness.api.routes import read_document, routes
from harness.api.rules import Answers, route_refused
from harness.findings import Verdict
from tests.api.examples import todo

if TYPE_CHECKING:
    from tests.api.fuzzing import Fuzzed

pytestmark = pytest.mark.api

DOCUMENT = read_document(Path(__file__).parents[2])
ROUTES = routes(DOCUMENT)


@pytest.fixture
def fuzzed(api: Client, judge: Callable[..., Verdict]) -> Iterator[Fuzzed]:
    """Rows 1 to 3 are there, so that small ids are met."""
    from tests.api.fuzzing import Fuzzed  # noqa: PLC0415

    for _ in range(3):
        todo(api)
    with requests.Session() as session:
        session.trust_env = False
        fuzzed = Fuzzed(api, session)
        yield fuzzed
    judge("api", route_refused(Answers(fuzzed.route, fuzzed.statuses)))


@pytest.mark.parametrize("route", ROUTES)
def test_no_request_breaks_the_app(fuzzed: Fuzzed, route: str) -> None:
    """Nothing gives a 5xx, and every answer is one that the document promises."""
    fuzzed.send(DOCUMENT, route, examples=25)


@pytest.mark.nightly
@pytest.mark.parametrize("route", ROUTES)
def test_no_request_of_many_breaks_the_app(fuzzed: Fuzzed, route: str) -> None:
    """The same with more examples, every night."""
    fuzzed.send(DOCUMENT, route, examples=1000)
