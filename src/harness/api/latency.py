"""The objective: an answer within its time although every round trip to the database takes ten milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from harness.api.rules import LATENCY_OBJECTIVE, OBJECTIVE, ROUND_TRIP, ROUTE_COST
from harness.findings import Finding

SAMPLES = 20
"""Requests of each route, of which the worst counts."""

TITLE = "Routes"
COLUMNS = ("route", "queries", "round trips", "ms at 0", "ms at 10")


@dataclass(frozen=True, slots=True)
class Timing:
    """One route: what it asks of the database, and its times in seconds, without latency and with it.

    `statements` lists what a request sent (`harness.api.budget.listing`).
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


def judge(timing: Timing, objective: float = OBJECTIVE) -> list[Finding]:
    """A finding when the worst of the far times, and so perhaps their median, is not below the objective."""
    middle, worst = median(timing.far), max(timing.far)
    if worst < objective:
        return []
    message = (
        f"median {middle * 1000:.0f} ms, worst {worst * 1000:.0f} ms of {len(timing.far)}; {timing.trips} round trips "
        f"of {ROUND_TRIP * 1000:.0f} ms make {timing.trips * ROUND_TRIP * 1000:.0f} ms of it, "
        f"without latency it takes {median(timing.near) * 1000:.0f} ms"
    )
    return [Finding(LATENCY_OBJECTIVE, timing.route, message)]


def judge_cost(timing: Timing, *, queries: int, trips: int) -> list[Finding]:
    """A finding when the route asks more of the database than this: queries, and round trips to carry them."""
    if timing.queries <= queries and timing.trips <= trips:
        return []
    message = (
        f"{timing.queries} queries in {timing.trips} round trips; a {timing.route.partition(' ')[0]} may make "
        f"{queries} in {trips}\n{timing.statements}"
    ).rstrip()
    accepted = f'{{ rule = "{ROUTE_COST.id}", object = "{timing.route}", reason = "…" }}'
    fix = f"{ROUTE_COST.fix}\nor accept it, in [tool.harness] exemptions: {accepted}"
    return [Finding(ROUTE_COST, timing.route, message, fix)]
