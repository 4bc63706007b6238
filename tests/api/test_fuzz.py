"""Requests that schemathesis generates from the OpenAPI document, and answers compared with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from harness.api.client import Client
from harness.api.routes import path_values, read_document
from harness.api.rules import Answers, route_refused
from harness.findings import Verdict
from tests.api.examples import EXAMPLES, todo

pytestmark = pytest.mark.api
pytest_plugins = ["schemathesis.pytest.plugin"]  # only here: it adds seconds to the start of every run

SCHEMA = schemathesis.openapi.from_dict(read_document(Path(__file__).parents[2]))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
"""The checks about what is answered. Left out are those that guess which requests ought to be accepted or refused, and
the one for the Allow header, which frameworks send for a path and not for a route."""


class Fuzzed:
    """The app with a few rows, and counts of a route's statuses and of the SQLSTATEs that its database answered with.

    Each request has the headers and cookies of `api`, but one in eight has the credentials that schemathesis makes up.
    """

    def __init__(self, api: Client, session: requests.Session) -> None:
        self.api = api
        self.session = session
        self.route = ""
        self.statuses: Counter[int] = Counter()
        self.sqlstates: Counter[str] = Counter()

    def judge(self, case: schemathesis.Case[Any]) -> None:
        """Send a case and check its answer; a failure tells what the database said so far."""
        self.route = case.operation.label
        chosen = crc32(repr((case.path_parameters, case.query, case.body)).encode())
        if case.path_parameters and chosen % 2:
            self.ask_for_what_exists(case)
        known = {} if chosen % 8 == 0 else {"headers": dict(self.api.headers), "cookies": dict(self.api.cookies)}
        with self.api.wire.recording() as seen:
            answer = case.call(base_url=str(self.api.base_url), session=self.session, **known)
        self.statuses[answer.status_code] += 1
        self.sqlstates += seen.sqlstates
        try:
            case.validate_response(answer, checks=CHECKS)
        except Exception as error:
            error.add_note(f"SQLSTATEs of this request: {dict(seen.sqlstates)}; until now: {dict(self.sqlstates)}")
            raise

    def ask_for_what_exists(self, case: schemathesis.Case[Any]) -> None:
        """Give a case the path of the route's example: an id such as a UUID is never guessed."""
        if self.route in EXAMPLES:
            case.path_parameters.update(path_values(case.path, EXAMPLES[self.route](self.api).url.path))


@pytest.fixture
def fuzzed(api: Client, judge: Callable[..., Verdict]) -> Iterator[Fuzzed]:
    """Rows 1 to 3 are there, so that small ids are met."""
    for _ in range(3):
        todo(api)
    with requests.Session() as session:
        session.trust_env = False
        fuzzed = Fuzzed(api, session)
        yield fuzzed
    judge("api", route_refused(Answers(fuzzed.route, fuzzed.statuses)))


def seeded(examples: int) -> settings:
    """The same requests in every run: what fails once fails always. One app serves all of a route."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


@SCHEMA.parametrize()
@seeded(25)
def test_no_request_breaks_the_app(fuzzed: Fuzzed, case: schemathesis.Case[Any]) -> None:
    """Nothing gives a 5xx, and every answer is one that the document promises."""
    fuzzed.judge(case)


@pytest.mark.nightly
@SCHEMA.parametrize()
@seeded(1000)
def test_no_request_of_many_breaks_the_app(fuzzed: Fuzzed, case: schemathesis.Case[Any]) -> None:
    """The same with more examples, every night."""
    fuzzed.judge(case)
