"""How the cost of a list grows with its rows: the judge of loops that a budget cannot see, and of lists without end."""

from __future__ import annotations

from collections.abc import Mapping

from harness.findings import Finding
from harness.queries.budget import Exchange, listing
from harness.queries.rules import QUERY_GROWTH, UNBOUNDED_LIST

STEPS = (1, 10, 100)
"""Rows to measure at. Not 0: an empty list loads nothing after it. Not over 500: loaders split their statements."""


def judge(measured: Mapping[int, tuple[Exchange, int]]) -> list[Finding]:
    """Judge one route: rows that exist, by (what the request did, items it answered with), at two sizes or more."""
    sizes = sorted(measured)
    least, most = measured[sizes[0]][0], measured[sizes[-1]][0]
    found = []
    if len({(exchange.queries, exchange.trips) for exchange, _ in measured.values()}) > 1:
        counts = ", ".join(f"{measured[size][0].queries} queries with {size}" for size in sizes)
        message = f"{counts} rows\n  with {sizes[-1]} rows:\n{_cut(listing(most.recording))}"
        found.append(Finding(QUERY_GROWTH, least.route, message))
    items = measured[sizes[-1]][1]
    if items >= sizes[-1]:
        message = f"asked without parameters it answered with {items} items while {sizes[-1]} exist: no limit was met"
        found.append(Finding(UNBOUNDED_LIST, least.route, message))
    return found


def _cut(lines: str, most: int = 8) -> str:
    """The first lines, and how many more there are."""
    every = lines.splitlines()
    more = [f"    … and {len(every) - most} more"] if len(every) > most else []
    return "\n".join(every[:most] + more)
