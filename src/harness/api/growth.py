"""How the cost of a list grows with its rows: the judge of loops that a budget cannot see, and of lists without end."""

from __future__ import annotations

from collections.abc import Mapping

from harness.api.budget import Exchange, listing
from harness.api.rules import QUERY_GROWTH, UNBOUNDED_LIST
from harness.findings import Finding

STEPS = (1, 10, 100)
"""Rows to measure at. Not 0: an empty list loads nothing after it. Not over 500: loaders split their statements."""


def judge(measured: Mapping[int, Exchange]) -> list[Finding]:
    """Judge one list by what a request for it did at two or more sizes (rows that exist)."""
    sizes = sorted(measured)
    most = measured[sizes[-1]]
    found = []
    if len({(exchange.queries, exchange.trips) for exchange in measured.values()}) > 1:
        counts = ", ".join(f"{measured[size].queries} queries with {size}" for size in sizes)
        message = f"{counts} rows\n  with {sizes[-1]} rows:\n{_cut(listing(most.recording))}"
        found.append(Finding(QUERY_GROWTH, most.route, message))
    grew = most.items != measured[sizes[0]].items
    if grew and most.items is not None and most.items >= sizes[-1]:
        message = f"it answered with {most.items} items while {sizes[-1]} exist: no limit was met"
        found.append(Finding(UNBOUNDED_LIST, most.route, message))
    return found


def _cut(lines: str, most: int = 8) -> str:
    """The first lines, and how many more there are."""
    every = lines.splitlines()
    more = [f"    … and {len(every) - most} more"] if len(every) > most else []
    return "\n".join(every[:most] + more)
