"""Requests that schemathesis makes for a route, and answers compared with the OpenAPI document.

Only the tests that send such requests import this: schemathesis takes as long to import as everything else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from zlib import crc32

import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from harness.api.bodies import PARTS
from harness.api.client import Client
from harness.api.fuzzing import BoundedAdapter
from harness.api.routes import path_values
from tests.api.examples import EXAMPLES

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
    The statuses are those of the other seven, without the requests with another method than the route's.
    """

    def __init__(self, api: Client, session: requests.Session) -> None:
        self.api = api
        self.session = session
        self.route = ""
        self.statuses: Counter[int] = Counter()
        self.sqlstates: Counter[str] = Counter()

    def send(self, document: Mapping[str, Any], route: str, examples: int) -> None:
        """Send a route its boundary cases and so many random ones; what fails in one run fails in every run.

        Schemathesis's own collector makes the boundary cases when tests are collected, which takes seconds.
        """
        self.route = route
        parts = EXAMPLES[route](self.api).extensions.get(PARTS) if route in EXAMPLES else None
        self.session.mount("http://", BoundedAdapter(parts))
        method, path = route.split(" ", 1)
        schema = schemathesis.openapi.from_dict(dict(document))
        seeded = settings(
            max_examples=examples,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        )
        config = HypothesisTestConfig(project=schema.config, modes=[*HypothesisTestMode], explicit_settings=seeded)
        create_test(operation=schema[path][method], test_func=self.judge, config=config)()

    def judge(self, case: schemathesis.Case[Any]) -> None:
        """Send a case and check its answer; a failure tells what the database said so far."""
        chosen = crc32(repr((case.path_parameters, case.query, case.body)).encode())
        if case.path_parameters and chosen % 2:
            self.ask_for_what_exists(case)
        known = {} if chosen % 8 == 0 else {"headers": dict(self.api.headers), "cookies": dict(self.api.cookies)}
        with self.api.wire.recording() as seen:
            answer = case.call(base_url=str(self.api.base_url), session=self.session, **known)
        if known and self.route.startswith(f"{case.method} "):  # schemathesis also tries the path's other methods
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
