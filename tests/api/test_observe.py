"""What the app reports about its requests: headers, log lines, and the number of statements."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from copy import copy

import httpx
import pytest

from harness.api.app_server import AppServer
from harness.api.client import Client
from harness.config import Config, load_object
from sealy.runtime import logs
from sealy.runtime.observe import Observed, current
from tests.api.examples import EXAMPLES

pytestmark = pytest.mark.api

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@pytest.fixture
def answered() -> Iterator[list[Observed]]:
    """The requests that have been answered, as the access log saw them."""
    seen: list[Observed] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            request = current.get()
            assert request
            seen.append(copy(request))  # a background task goes on counting

    handler = Keep()
    logs.access.addHandler(handler)
    yield seen
    logs.access.removeHandler(handler)


def counted(answer: httpx.Response) -> int:
    """The number of statements in Server-Timing."""
    found = re.search(r'desc="queries: (\d+)"', answer.headers["Server-Timing"])
    assert found
    return int(found[1])


@pytest.mark.parametrize("route", EXAMPLES)
def test_the_app_counts_what_the_wire_sees(api: Client, answered: list[Observed], route: str) -> None:
    """The app's own count of statements is that of the observer between it and the database, on every route."""
    answer = api.send(EXAMPLES[route](api))
    assert f"{answered[-1].method} {answered[-1].route}" == route
    counts = len(api.last.statements), counted(answer), answered[-1].queries, len(api.last.recording.queries)
    assert counts == tuple(sorted(counts))  # all are equal, without a background task or an event stream
    assert 0 < answered[-1].query_seconds < answered[-1].seconds or not answered[-1].queries


def test_a_statement_that_fails_counts_once(api: Client, owner: int, answered: list[Observed]) -> None:
    """It was sent, and its time was spent."""
    email = api.get(f"/v1/users/{owner}").json()["email"]
    refused = api.post("/v1/users", json={"email": email})
    assert (refused.status_code, counted(refused)) == (409, 1)
    assert answered[-1].query_seconds > 0


@pytest.mark.slow
def test_a_cancelled_statement_counts_with_its_time(api: Client, owner: int, answered: list[Observed]) -> None:
    """So does one that waits for a lock until the server gives up on it."""
    with api.operator() as operator:
        operator.execute("LOCK TABLE users")
        refused = api.get(f"/v1/users/{owner}")
    assert (refused.status_code, counted(refused)) == (503, 1)
    assert answered[-1].query_seconds > 1


def test_each_statement_names_its_route(api: Client, owner: int) -> None:
    """pg_stat_statements shows the comment, so that its rows can be assigned to endpoints."""
    api.get(f"/v1/users/{owner}")
    assert [item.text[item.text.index("/*") :] for item in api.last.statements] == ["/* GET /v1/users/{user_id} */"]


def test_statements_count_without_the_comment_too(
    api: Client, owner: int, app_server: AppServer, harness_config: Config
) -> None:
    """A setting leaves the comment out, and nothing else."""
    settings = load_object(harness_config.settings)(database_url=api.app_dsn, tag_statements=False)
    with app_server.run(load_object(harness_config.app)(settings), harness_config.app):
        assert api.get("/ready").status_code == 200
        answer = api.get(f"/v1/users/{owner}")
    assert (answer.status_code, counted(answer)) == (200, 1)
    assert "/*" not in api.last.recording.texts[0]


@pytest.mark.parametrize("given", ["a", "Az09-._:", "x" * 64])
def test_a_request_id_is_echoed(api: Client, given: str) -> None:
    """A client finds its request again under the name that it gave."""
    assert api.get("/health", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", 'a"b', "a\tb", "é"])
def test_a_request_id_that_could_do_harm_is_replaced(api: Client, given: str) -> None:
    """Every answer has an id that is safe to print, another one each time."""
    headers = [(b"X-Request-ID", given.encode("latin-1"))]
    ids = {api.get(path, headers=headers).headers["X-Request-ID"] for path in ("/health", "/nowhere")}
    assert len(ids) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"traceparent": f"00-{TRACE}-{SPAN}-01"}, (TRACE, SPAN, True)),
        ({"traceparent": f"00-{TRACE}-{SPAN}-00"}, (TRACE, SPAN, False)),
        ({"traceparent": f"cc-{TRACE}-{SPAN}-01-what-the-future-brings"}, (TRACE, SPAN, True)),
        ({"traceparent": f"ff-{TRACE}-{SPAN}-01"}, ("", "", False)),
        ({"traceparent": f"00-{TRACE.upper()}-{SPAN}-01"}, ("", "", False)),
        ({"traceparent": f"00-{'0' * 32}-{SPAN}-01"}, ("", "", False)),
        ({"traceparent": f"00-{TRACE}-{'0' * 16}-01"}, ("", "", False)),
        ({"X-Cloud-Trace-Context": f"{TRACE}/{int(SPAN, 16)};o=1"}, (TRACE, SPAN, True)),
        ({"X-Cloud-Trace-Context": TRACE}, (TRACE, "", False)),
        ({"X-Cloud-Trace-Context": "nonsense"}, ("", "", False)),
        ({}, ("", "", False)),
    ],
)
def test_a_trace_is_understood(
    api: Client, answered: list[Observed], headers: dict[str, str], expected: tuple[str, str, bool]
) -> None:
    """Both headers are read as their specifications have them; what is not valid is no trace."""
    api.get("/health", headers=headers)
    assert (answered[-1].trace, answered[-1].span, answered[-1].sampled) == expected


@pytest.mark.parametrize(
    ("method", "path", "label"),
    [
        ("GET", "/v1/users/7", ("GET", "/v1/users/{user_id}", 404)),
        ("GET", "/v1/users/none", ("GET", "/v1/users/{user_id}", 422)),
        ("PUT", "/v1/users/7", ("PUT", "/v1/users/{user_id}", 405)),
        ("GET", "/%00/x\u2028y", ("GET", "<none>", 404)),
        ("PURGE", "/v1/users/7", ("<other>", "/v1/users/{user_id}", 405)),
    ],
)
def test_labels_are_not_up_to_clients(
    api: Client, answered: list[Observed], method: str, path: str, label: tuple[str, str, int]
) -> None:
    """Unknown paths and methods are one word each, and a path's values never show."""
    api.request(method, path)
    assert (answered[-1].method, answered[-1].route, answered[-1].status) == label
