"""How the cost of a list grows with its rows: the judge of loops that a budget cannot see, and of lists without end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.api.budget import Exchange, listing
from harness.findings import Finding
from harness.rules import Breach, rule

STEPS = (1, 10, 100)
"""Rows to measure at. Not 0: an empty list loads nothing after it. Not over 500: loaders split their statements."""


@rule(
    "query-growth",
    "error",
    "A list asks as often for a hundred rows as for one",
    why="each row of the answer costs a round trip of its own (N+1): the time grows with the data, not with the code",
    fix="load what each row needs in the same statement (a join, json_agg) or in one more (selectinload)",
)
def query_growth(measured: Mapping[int, Exchange]) -> Iterator[Breach]:
    """Find lists whose number of queries grows with their rows, measured at 1, 10 and 100."""
    sizes = sorted(measured)
    most = measured[sizes[-1]]
    if len({(exchange.queries, exchange.trips) for exchange in measured.values()}) > 1:
        counts = ", ".join(f"{measured[size].queries} queries with {size}" for size in sizes)
        message = f"{counts} rows\n  with {sizes[-1]} rows:\n{_cut(listing(most.recording))}"
        yield Breach(most.route, message)


@rule(
    "unbounded-list",
    "error",
    "A list ends, however many rows there are",
    why="without a limit one request reads and sends the whole table, and memory runs out in production only",
    fix="page the list: a limit with a default and a maximum, and a cursor for the next page",
)
def unbounded_list(measured: Mapping[int, Exchange]) -> Iterator[Breach]:
    """Find lists that answer with all rows that exist."""
    sizes = sorted(measured)
    most = measured[sizes[-1]]
    grew = most.items != measured[sizes[0]].items
    if grew and most.items is not None and most.items >= sizes[-1]:
        yield Breach(most.route, f"it answered with {most.items} items while {sizes[-1]} exist: no limit was met")


def judge(measured: Mapping[int, Exchange]) -> list[Finding]:
    """Judge one list by what a request for it did at two or more sizes (rows that exist)."""
    return [*query_growth(measured), *unbounded_list(measured)]


def _cut(lines: str, most: int = 8) -> str:
    """The first lines, and how many more there are."""
    every = lines.splitlines()
    more = [f"    … and {len(every) - most} more"] if len(every) > most else []
    return "\n".join(every[:most] + more)
