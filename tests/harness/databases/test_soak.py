"""Nothing grows in a run of five thousand tests."""

from __future__ import annotations

import contextlib
import gc
import os
import statistics
import time
from pathlib import Path

import pytest

from harness.config import Config
from harness.databases.databases import Databases
from harness.databases.pool import AHEAD
from harness.databases.prepared import databases_on
from harness.postgres.installations import installations
from harness.postgres.server import Cluster, start_cluster

pytestmark = [pytest.mark.integration, pytest.mark.nightly]

TESTS = 5000
WINDOW = 500
ACTIONS = [
    *["INSERT INTO item (name) VALUES ('a'); INSERT INTO part (item_id) SELECT id FROM item"] * 7,
    *["SELECT count(*) FROM item"] * 2,
    "CREATE TABLE extra (id int)",
]


def _memory() -> int:
    """This process's resident bytes."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _disk(cluster: Cluster) -> int:
    """The bytes of the run's directory, from which files go while they are counted."""
    total = 0
    for folder, _, names in os.walk(cluster.run.path):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(folder, name).stat().st_size
    return total


def _connections(databases: Databases) -> int:
    with databases.server.connect() as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE client_port IS NOT NULL").fetchone()
    return int(row[0]) if row else 0


def test_nothing_grows_in_a_long_run(trial: Config) -> None:
    """Memory, disk, connections and the time of a test are after 5,000 tests what they were after 500."""
    with (
        contextlib.closing(start_cluster(next(installations()))) as cluster,
        contextlib.closing(databases_on(cluster, trial)) as databases,
    ):
        taken: list[float] = []
        for number in range(TESTS):
            start = time.perf_counter()
            fresh = databases.create(migrated=True)
            with fresh.connect(autocommit=True) as connection:
                assert connection.execute("SELECT count(*) FROM item").fetchone() == (0,)
                connection.execute(ACTIONS[number % len(ACTIONS)].encode())
            databases.drop(fresh)
            taken.append(time.perf_counter() - start)
            if number + 1 == WINDOW:
                memory, disk, connections = _memory(), _disk(cluster), _connections(databases)
        assert databases.failure == ""
        assert _memory() - memory < 16 * 2**20
        assert _disk(cluster) - disk < 96 * 2**20
        assert _connections(databases) <= connections + AHEAD + 1  # each that is held ready may have one
        assert statistics.median(taken[-WINDOW:]) < 2 * statistics.median(taken[:WINDOW])
