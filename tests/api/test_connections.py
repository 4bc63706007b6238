"""The pool under many clients: it is opened once, shared, and enough."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.api.client import Client
from harness.api.latency import ROUND_TRIP
from harness.api.rules import judge_pool
from harness.findings import Verdict
from tests.api.examples import EXAMPLES, listed

pytestmark = pytest.mark.api

CLIENTS = 20
REQUESTS = 200


def test_many_clients_share_the_pool(api: Client, judge: Callable[..., Verdict]) -> None:
    """200 requests, 20 at once, under latency: all answered, no connection opened, several at work at once."""
    reads = [example(api) for route, example in EXAMPLES.items() if route.startswith("GET ")]
    requests = [reads[number % len(reads)] for number in range(REQUESTS)]
    before = api.wire.connections
    with api.wire.slow(ROUND_TRIP), api.wire.recording() as seen, ThreadPoolExecutor(CLIENTS) as clients:
        statuses = set(clients.map(lambda request: api.send(request).status_code, requests))
    assert {status // 100 for status in statuses} == {2}
    judge("api", judge_pool(seen, CLIENTS))
    assert api.wire.connections == before


def test_a_new_process_opens_its_pool_before_it_is_ready(api: Client) -> None:
    """The first request of a test finds every connection open."""
    path = listed(api)
    with api.wire.recording() as seen:
        assert api.get(path).status_code == 200
    assert seen.opened == []
