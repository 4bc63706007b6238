"""Latency and cost of routes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import httpx

from harness.api.client import Client
from harness.api.exchange import Exchange, listing
from harness.rules import Breach, rule
from harness.wording import plural

OBJECTIVE = 0.2
"""Seconds in which a request must be answered."""

ROUND_TRIP = 0.01
"""Seconds added to every round trip: an app and a managed database in two zones of one region, with some to spare."""

NEAR = 5
"""Requests without latency: their median is shown, not judged."""

SAMPLES = 20
"""Requests of each route, of which the worst counts."""

TITLE = "Routes"
COLUMNS = ("route", "queries", "round trips", "ms at 0", "ms at 10")


@dataclass(frozen=True, slots=True)
class Timing:
    """One route: what it asks of the database, and its times in seconds, without latency and with it.

    `statements` lists what a request sent (`harness.api.exchange.listing`).
    """

    route: str
    queries: int
    trips: int
    near: Sequence[float]
    far: Sequence[float]
    statements: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """The route's row under `COLUMNS`, with medians."""
        return (
            self.route,
            str(self.queries),
            str(self.trips),
            f"{median(self.near) * 1000:.1f}",
            f"{median(self.far) * 1000:.1f}",
        )


@rule(
    "latency-objective",
    "error",
    f"Every route answers within {OBJECTIVE * 1000:.0f} ms at {ROUND_TRIP * 1000:.0f} ms a round trip",
)
def latency_objective(timing: Timing, objective: float = OBJECTIVE) -> Iterator[Breach]:
    """Find routes whose slowest answer, with latency added to each round trip, misses the objective.

    Why: on a laptop a round trip takes 0.1 ms, so nobody notices how many there are; between zones it takes a hundred
        times as long
    Fix: make fewer round trips: the table of routes shows how many each route makes
    """
    middle, worst = median(timing.far), max(timing.far)
    if worst >= objective:
        message = (
            f"median {middle * 1000:.0f} ms, worst {worst * 1000:.0f} ms of {len(timing.far)}; "
            f"{plural(timing.trips, 'round trip')} at {ROUND_TRIP * 1000:.0f} ms: "
            f"{timing.trips * ROUND_TRIP * 1000:.0f} ms of it, "
            f"without latency it takes {median(timing.near) * 1000:.0f} ms"
        )
        yield Breach(timing.route, message)


@rule("route-cost", "error", "A route keeps to the queries that the project allows")
def route_cost(timing: Timing, queries: int, trips: int) -> Iterator[Breach]:
    """Find routes that make more queries or round trips than the project allows for a read or a write.

    Why: one more statement per request adds a round trip for every client, and holds the connection longer
    Fix: read related rows in one statement (a join, json_agg); write with RETURNING instead of reading afterwards
    """
    if timing.queries <= queries and timing.trips <= trips:
        return
    made = f"{plural(timing.queries, 'query', 'queries')} in {plural(timing.trips, 'round trip')}"
    message = f"{made}; a {timing.route.partition(' ')[0]} may make {queries} in {trips}\n{timing.statements}"
    yield Breach(timing.route, message.rstrip())


def measure(api: Client, example: Callable[[], httpx.Request], samples: int = SAMPLES) -> Timing:
    """Send `example()` again and again, warm, and take the times.

    Raises:
        httpx.HTTPStatusError: when an example is answered with an error.
    """
    first, *others = [example() for _ in range(1 + NEAR + samples)]
    _exchange(api, first)
    near = [_exchange(api, request) for request in others[:NEAR]]
    with api.wire.slow(ROUND_TRIP):
        far = [_exchange(api, request).seconds for request in others[NEAR:]]
    exchange = min(near, key=lambda each: each.trips)  # a driver may set up what each connection of the pool needs once
    statements = listing(exchange.answering)
    return Timing(exchange.route, exchange.queries, exchange.trips, [each.seconds for each in near], far, statements)


def _exchange(api: Client, request: httpx.Request) -> Exchange:
    api.send(request).raise_for_status()
    return api.last
