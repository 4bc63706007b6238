"""Requests that schemathesis makes for a route, and answers compared with the OpenAPI document.

Only the tests that send such requests import this: schemathesis takes as long to import as everything else.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test
from schemathesis.openapi.checks import JsonSchemaError
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from harness.api.bodies import PARTS
from harness.api.client import Client
from harness.api.fuzzing import BoundedAdapter, Refusal, api_call, first_line, raised, refusal
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

LONGEST_LINE = 400
"""Characters of an answer, or of what the document says, in a failure."""


class Fuzzed:
    """The app with a few rows, and counts of a route's statuses; `failure` describes the last answer that failed.

    Each request has the headers and cookies of `api`, but one in eight has the credentials that schemathesis makes up.
    The statuses are those of the other seven, without the requests with another method than the route's.
    """

    def __init__(self, api: Client, session: requests.Session) -> None:
        self.api = api
        self.session = session
        self.route = ""
        self.statuses: Counter[int] = Counter()
        self.failure = ""
        self.adapter = BoundedAdapter(api.transport.inflight)

    def send(self, document: Mapping[str, Any], route: str, examples: int) -> None:
        """Send a route its boundary cases and so many random ones; what fails in one run fails in every run.

        The failure is of the smallest request that hypothesis found. Schemathesis's own collector makes the boundary
        cases when tests are collected, which takes seconds.
        """
        self.route = route
        parts = EXAMPLES[route](self.api).extensions.get(PARTS) if route in EXAMPLES else None
        self.adapter = BoundedAdapter(self.api.transport.inflight, parts)
        self.session.mount("http://", self.adapter)
        method, path = route.split(" ", 1)
        schema = schemathesis.openapi.from_dict(dict(document))
        seeded = settings(
            max_examples=examples,
            derandomize=True,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        )
        config = HypothesisTestConfig(project=schema.config, modes=[*HypothesisTestMode], explicit_settings=seeded)
        try:
            create_test(operation=schema[path][method], test_func=self.judge, config=config)()
        except (Exception, FailureGroup):
            if not self.failure:
                raise
            pytest.fail(self.failure, False)

    def judge(self, case: schemathesis.Case[Any]) -> None:
        """Send a case, and check its answer."""
        chosen = crc32(repr((case.path_parameters, case.query, case.body)).encode())
        if case.path_parameters and chosen % 2:
            self.ask_for_what_exists(case)
        known = {} if chosen % 8 == 0 else {"headers": dict(self.api.headers), "cookies": dict(self.api.cookies)}
        route = f"{case.method} {case.path}"
        with self.api.wire.recording() as seen:
            try:
                answer = case.call(base_url=str(self.api.base_url), session=self.session, **known)
            except requests.RequestException as error:
                lines = self.server_error(f"{route} was not answered completely", seen.sqlstates)
                if isinstance(error.request, requests.PreparedRequest):
                    self.failure = failure(lines, error.request, known)
                raise
        if known and self.route.startswith(f"{case.method} "):  # schemathesis also tries the path's other methods
            self.statuses[answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as found:
            answered = f"{route} answered {answer.status_code}"
            refuted = contradiction(answered, answer.text, found.exceptions)
            lines = self.server_error(answered, seen.sqlstates) if answer.status_code >= 500 else refuted
            self.failure = failure(lines, answer.request, known)
            raise

    def server_error(self, answered: str, sqlstates: Iterable[str]) -> Iterator[str]:
        """What the app raised; `sqlstates` are what the database answered, for an app that raises nothing."""
        error = self.adapter.await_error()
        refused = refusal(error)
        if refused or error is None:
            names = [str(each) for each in ([refused] if refused else map(Refusal, sqlstates))]
        else:
            names = [first_line(error)]
        yield ": ".join([answered, ", ".join(names)] if names else [answered])
        if error is not None:
            yield from (line for line in raised(error, Path.cwd()) if line not in names)
        yield f"remedy: {remedy(refused)}"

    def ask_for_what_exists(self, case: schemathesis.Case[Any]) -> None:
        """Give a case the path of the route's example: an id such as a UUID is never guessed."""
        if self.route in EXAMPLES:
            case.path_parameters.update(path_values(case.path, EXAMPLES[self.route](self.api).url.path))


def failure(lines: Iterable[str], request: requests.PreparedRequest, known: Mapping[str, Any]) -> str:
    """The text of a failure: what happened, and the request as a call of `api`."""
    return "\n  ".join([*lines, f"sent: {api_call(request, known.get('headers', ()))}"])


def remedy(refused: Refusal | None) -> str:
    """What to change, by what the database refused."""
    if refused and refused.sqlstate in ("23503", "23505"):
        return f"answer 409: name {refused.constraint} and its field in FIELDS of api/conflicts.py"
    if refused and refused.sqlstate[:2] in ("22", "23"):
        return "answer 422: let the schema of the request refuse what the database cannot hold"
    return "correct it, or answer with a status that the document promises"


def contradiction(route: str, answer: str, found: tuple[Failure, ...]) -> Iterator[str]:
    """What was answered, and what the document says."""
    titles = ", ".join(each.title[0].lower() + each.title[1:] for each in found)
    yield f"{route}, which the document does not promise: {titles}"
    for each in found:
        if isinstance(each, JsonSchemaError):
            place = ".".join(map(str, each.instance_path)) or "the answer"
            yield f"{place}: {each.validation_message}"[:LONGEST_LINE]
            yield f"the document says: {json.dumps(each.schema)}"[:LONGEST_LINE]
        else:
            yield from (line for line in each.message.splitlines() if line.strip())
    yield f"answer: {answer}"[:LONGEST_LINE]
