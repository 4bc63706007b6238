"""Measures a route, without latency and with it, by requests that were prepared before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import httpx

from harness.api.budget import Exchange, listing
from harness.api.latency import SAMPLES, Timing
from harness.api.rules import ROUND_TRIP
from harness.wire.observer import Observer

NEAR = 5
"""Requests without latency: their median is shown, not judged."""


class Api(Protocol):
    """What it takes to measure: an HTTP client behind which an observer stands."""

    def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""

    @property
    def last(self) -> Exchange:
        """What the last request did."""

    @property
    def wire(self) -> Observer:
        """The observer."""


def measure(api: Api, example: Callable[[], httpx.Request], samples: int = SAMPLES) -> Timing:
    """Send `example()` again and again, warm, and take the times.

    Raises:
        httpx.HTTPStatusError: when an example is answered with an error.
    """
    first, *others = [example() for _ in range(1 + NEAR + samples)]
    _seconds(api, first)
    near = [_seconds(api, request) for request in others[:NEAR]]
    exchange = api.last
    with api.wire.slow(ROUND_TRIP):
        far = [_seconds(api, request) for request in others[NEAR:]]
    statements = listing(exchange.recording)
    return Timing(exchange.route, exchange.queries, exchange.trips, near, far, statements)


def _seconds(api: Api, request: httpx.Request) -> float:
    api.send(request).raise_for_status()
    return api.last.seconds
