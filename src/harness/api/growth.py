"""Growth of lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.api.exchange import Exchange, listing
from harness.findings import Finding
from harness.rules import Breach, rule
from harness.wording import plural

STEPS = (1, 10, 100)
"""Rows to measure at. Not 0: an empty list loads nothing after it. Not over 500: loaders split their statements."""


@rule("query-growth", "error", "The number of queries of a list does not depend on its rows")
def query_growth(measured: Mapping[int, Exchange]) -> Iterator[Breach]:
    """Find lists that make more queries for 10 or 100 rows than for one.

    Why: each row of the answer adds a round trip (N+1), so the time grows with the data
    Fix: load the data of each row in the same statement (joinedload for one parent, json_agg), or a
        collection in one more (selectinload)
    """
    sizes = sorted(measured)
    most = measured[sizes[-1]]
    if len({_work(exchange) for exchange in measured.values()}) > 1:
        made = [plural(measured[size].queries, "query", "queries") for size in sizes]
        counts = ", ".join(f"{each} with {plural(size, 'row')}" for each, size in zip(made, sizes, strict=True))
        message = f"{counts}\n  with {sizes[-1]} rows:\n{listing(most.answering, 8)}"
        yield Breach(most.route, message)


@rule("unbounded-list", "error", "A list has a limit")
def unbounded_list(measured: Mapping[int, Exchange]) -> Iterator[Breach]:
    """Find lists that answer with all rows that exist.

    Why: one request reads and sends the whole table, and memory runs out, but only in production
    Fix: add a limit with a default and a maximum, and a cursor for the next page
    """
    sizes = sorted(measured)
    most = measured[sizes[-1]]
    grew = most.items != measured[sizes[0]].items
    if grew and most.items is not None and most.items >= sizes[-1]:
        yield Breach(most.route, f"it answered with {most.items} items while {sizes[-1]} exist: no limit was met")


def judge(measured: Mapping[int, Exchange]) -> list[Finding]:
    """Judge one list by what a request for it did at two or more sizes (rows that exist)."""
    return [*query_growth(measured), *unbounded_list(measured)]


def _work(exchange: Exchange) -> tuple[int, ...]:
    """The numbers that rows must not change; a pool prepares now and then, and more rows take more round trips."""
    kinds = [trip.kind for trip in exchange.answering]
    return exchange.queries, kinds.count("query"), kinds.count("transaction control")
