"""The observer under load: large results and many connections leave nothing behind."""

from __future__ import annotations

import resource
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

import psycopg
import pytest

from harness.postgres.databases import Database
from harness.queries.wire import Observer

MB = 1 << 20


def memory() -> int:
    """Resident bytes of this process, which the observer is part of."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS: the most so far, in bytes


def files() -> int:
    """Open files of this process."""
    return sum(1 for _ in Path("/dev/fd").iterdir())


@pytest.mark.parametrize(("rows", "width"), [(500_000, 100), (50, MB)], ids=["many rows", "wide rows"])
def test_a_slow_reader_costs_no_memory(wire: Observer, observed: str, rows: int, width: int) -> None:
    """50 MB to a client that reads row by row: the server waits, the observer keeps none of it."""
    with psycopg.connect(observed) as client, wire.recording() as seen:
        before, most = memory(), 0
        query = f"COPY (SELECT repeat('x', {width}) FROM generate_series(1, {rows})) TO STDOUT"
        with client.cursor().copy(query) as copy:
            for number, _ in enumerate(copy):
                if number % (rows // 50) == 0:
                    most = max(most, memory())
        client.rollback()
        wire.settle()
    assert seen.statements[1].rows == rows
    assert most - before < 16 * MB


@pytest.mark.slow
def test_ten_thousand_connections_leave_nothing(wire: Observer, observed: str) -> None:
    """Connections in turn: neither memory, nor files, nor links grow with their number."""
    sizes = []
    for _ in range(5):
        for _ in range(2_000):
            psycopg.connect(observed).close()
        sizes.append((memory(), files()))
    wire.settle()
    assert not wire.links
    growth = [later[0] - earlier[0] for earlier, later in pairwise(sizes[1:])]
    assert sum(growth) < 2 * MB, sizes
    assert sizes[-1][1] <= sizes[0][1] + 2, sizes


@pytest.mark.slow
def test_a_round_trip_costs_less_than_half_a_millisecond_more(
    wire: Observer, observed: str, empty_database: Database
) -> None:
    """Direct and observed trips in turn: the difference of their medians is the observer's price."""
    direct: list[float] = []
    through: list[float] = []
    with empty_database.connect(autocommit=True) as plain, psycopg.connect(observed, autocommit=True) as client:
        for _ in range(2_000):
            for connection, times in ((plain, direct), (client, through)):
                begun = perf_counter()
                connection.execute("SELECT %s::int", (1,))
                times.append(perf_counter() - begun)
    assert median(through) - median(direct) < 0.0005
