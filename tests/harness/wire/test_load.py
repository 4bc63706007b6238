"""Large results and many connections leave nothing in the observer."""

from __future__ import annotations

import resource
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

import psycopg
import pytest

from harness.databases.databases import Database
from harness.wire.observer import Observer

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


DOES = "SELECT state, coalesce(wait_event, '') FROM pg_stat_activity WHERE pid = %s"


@pytest.mark.superuser
@pytest.mark.parametrize(("rows", "width"), [(500_000, 100), (50, MB)], ids=["many rows", "wide rows"])
def test_a_client_that_reads_slowly_costs_no_memory(
    wire: Observer, observed: str, empty_database: Database, rows: int, width: int
) -> None:
    """50 MB for a client that does not read yet: the server waits, and the observer keeps none of it."""
    query = f"COPY (SELECT repeat('x', {width}) FROM generate_series(1, {rows})) TO STDOUT"
    superuser = empty_database.as_role("superuser")
    with psycopg.connect(observed) as client, superuser.connect(autocommit=True) as operator:
        before, blocked = memory(), 0
        with wire.recording() as seen, client.cursor().copy(query) as copy:
            while blocked < 1000:
                state, waits = operator.execute(DOES, (client.info.backend_pid,)).fetchone() or ("gone", "")
                assert state == "active", "the server has sent everything: someone holds it"
                blocked = blocked + 1 if waits == "ClientWrite" else 0
            assert max(relay.client.get_write_buffer_size() for relay in wire.relays if relay.client) < MB
            assert memory() - before < 16 * MB
            for _ in copy:
                pass
        client.rollback()
        wire.settle()
    assert seen.statements[1].rows == rows


@pytest.mark.nightly
def test_ten_thousand_connections_leave_nothing(wire: Observer, observed: str) -> None:
    """Connections in turn: neither memory, nor files, nor links grow with their number."""
    sizes = []
    for _ in range(5):
        for _ in range(2_000):
            psycopg.connect(observed).close()
        sizes.append((memory(), files()))
    wire.settle()
    assert not wire.relays
    growth = [later[0] - earlier[0] for earlier, later in pairwise(sizes[1:])]
    assert sum(growth) < 2 * MB, sizes
    assert sizes[-1][1] <= sizes[0][1] + 2, sizes


@pytest.mark.nightly
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
