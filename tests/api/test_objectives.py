"""Every route keeps the objective: an answer within 200 ms when every round trip to the database takes 10 ms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import httpx
import pytest

from harness.api import latency
from harness.api.app_process import AppProcess
from harness.api.client import Client
from harness.api.exchange import listing
from harness.api.latency import OBJECTIVE, ROUND_TRIP, latency_objective, measure, route_cost
from harness.api.routes import read_document, routes
from harness.config import Config
from harness.findings import Verdict
from harness.run import Run
from harness.wire.recording import Recording
from harness.wording import plural
from tests.api.examples import EXAMPLES, ROWS, listed

pytestmark = pytest.mark.api

ROUTES = routes(read_document(Path(__file__).parents[2]))
READ = {"queries": 1, "trips": 1}
WRITE = {"queries": 2, "trips": 4}
"""What a request may ask of the database: a write is BEGIN, two statements and COMMIT."""
LISTED = 20


def example(api: Client, route: str) -> Callable[[], httpx.Request]:
    """Makes the requests to be measured; those of a list with rows to be listed."""
    if route not in ROWS:
        return lambda: EXAMPLES[route](api)
    path = ROWS[route](api, LISTED)
    return lambda: api.build_request("GET", path)


@pytest.mark.parametrize("route", ROUTES)
def test_a_route_keeps_the_objective(api: Client, harness_run: Run, judge: Callable[..., Verdict], route: str) -> None:
    """Median and worst of 20 warm requests are below it; reads take one round trip, writes at most four."""
    if route not in EXAMPLES:
        pytest.fail(f"{route} has no example in tests/api/examples.py: add one, so that it can be measured", False)
    request = example(api, route)
    for _ in range(3):  # a machine that was busy for a moment is not busy three times; a slow route is always slow
        timing = measure(api, request)
        if not latency_objective(timing):
            break
    if timing.route != route:
        pytest.fail(
            f"the example of {route} in tests/api/examples.py asks for {timing.route}: let it ask for {route}", False
        )
    harness_run.report.row(latency.TITLE, latency.COLUMNS, timing.cells)
    allowed = READ if route.startswith("GET ") else WRITE
    judge("api", [*latency_objective(timing), *route_cost(timing, **allowed)])


def test_no_example_outlives_its_route() -> None:
    """Examples of routes that are gone are removed."""
    assert set(EXAMPLES) <= set(ROUTES)


def first_request(api: Client, config: Config, path: str) -> tuple[Recording, float]:
    """Return what a new process sends for its first request after /ready, and the seconds of the request."""
    with AppProcess(config, api.app_dsn) as process, api.at(process.base_url) as client:
        assert client.get("/ready").status_code == 200
        with api.wire.slow(ROUND_TRIP), api.wire.recording() as seen:
            begun = perf_counter()
            assert client.get(path).status_code == 200
            return seen, perf_counter() - begun


def test_the_first_request_of_a_process_asks_no_more_than_others(api: Client, harness_config: Config) -> None:
    """Once /ready has answered 200, connections are open and nothing is left to be asked once."""
    path = listed(api)
    seen, _ = first_request(api, harness_config, path)
    if seen.opened or len(seen.trips) > READ["trips"]:
        opened, trips = plural(len(seen.opened), "connection"), plural(len(seen.trips), "round trip")
        head = f"the first request of a process, GET {path}, opened {opened} and made {trips}"
        pytest.fail(f"{head}; it may open none and make {READ['trips']}\n{listing(seen.trips)}", False)


@pytest.mark.nightly
def test_the_first_request_of_a_process_keeps_the_objective(api: Client, harness_config: Config) -> None:
    """The best of five processes counts, since the machine may be busy for a moment."""
    path = listed(api)
    assert min(first_request(api, harness_config, path)[1] for _ in range(5)) < OBJECTIVE
