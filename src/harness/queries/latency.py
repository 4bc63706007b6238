"""The objective: an answer within its time although every round trip to the database takes ten milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from harness.findings import Finding
from harness.queries.rules import LATENCY_OBJECTIVE, OBJECTIVE, ROUND_TRIP

SAMPLES = 20
"""Requests of each route, of which the worst counts."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One route: what it asks of the database, and its times in seconds, without latency and with it."""

    route: str
    queries: int
    trips: int
    near: tuple[float, ...]
    far: tuple[float, ...]


def judge(timing: Timing, objective: float = OBJECTIVE) -> list[Finding]:
    """A finding when the median or the worst of the far times is not below the objective."""
    middle, worst = median(timing.far), max(timing.far)
    if worst < objective:
        return []
    message = (
        f"median {middle * 1000:.0f} ms, worst {worst * 1000:.0f} ms of {len(timing.far)}; {timing.trips} round trips "
        f"of {ROUND_TRIP * 1000:.0f} ms make {timing.trips * ROUND_TRIP * 1000:.0f} ms of it, "
        f"without latency it takes {median(timing.near) * 1000:.0f} ms"
    )
    return [Finding(LATENCY_OBJECTIVE, timing.route, message)]


def table(timings: Sequence[Timing]) -> str:
    """Markdown: route, queries, round trips, milliseconds (medians) at 0 and at 10 ms a round trip."""
    lines = ["| route | queries | round trips | ms at 0 | ms at 10 |", "|---|--:|--:|--:|--:|"]
    for item in sorted(timings, key=lambda item: item.route.split(" ")[::-1]):
        near, far = (f"{median(times) * 1000:.1f}" for times in (item.near, item.far))
        lines.append(f"| `{item.route}` | {item.queries} | {item.trips} | {near} | {far} |")
    return "\n".join(lines)
