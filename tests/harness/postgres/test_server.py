"""A cluster starts, stops and starts again, and its errors say what is wrong."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psycopg
import pytest

from harness.errors import HarnessError
from harness.postgres import server as servers
from harness.postgres.admin import Administrator
from harness.postgres.installations import installations
from harness.postgres.server import Cluster, new_cluster, start_cluster

pytestmark = pytest.mark.integration


def test_a_cluster_stops_and_starts_again_with_its_data() -> None:
    """A stopped server comes back with what was committed, under the same address."""
    with contextlib.closing(start_cluster(next(installations()))) as cluster:
        address = cluster.address
        with address.connect() as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS id")
        cluster.stop()
        with pytest.raises(psycopg.OperationalError):
            address.connect()
        cluster.start()
        with address.connect() as connection:
            assert connection.execute("SELECT id FROM kept").fetchone() == (1,)


def test_every_setting_is_in_force() -> None:
    """The server runs with what `SETTINGS` says, as the server itself shows it."""
    with (
        contextlib.closing(start_cluster(next(installations()))) as cluster,
        cluster.address.connect() as connection,
    ):
        query = "SELECT current_setting(%s)"
        shown = {name: connection.execute(query, [name]).fetchone() for name in servers.SETTINGS}
    assert shown == {name: (value,) for name, value in servers.SETTINGS.items()}


def _bring_up(cluster: Cluster) -> None:
    cluster.initialise()
    cluster.start()


@pytest.mark.parametrize("step", ["initdb", "start"])
def test_a_server_that_does_not_come_up_says_why_and_where(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the program's own words, and the space where it was; nothing is left."""
    cluster = new_cluster(next(installations()))
    if step == "initdb":
        monkeypatch.setattr(servers, "INITDB", (*servers.INITDB, "--encoding", "nonsense"))
    else:
        monkeypatch.setitem(servers.SETTINGS, "shared_buffers", "nonsense")
    with contextlib.closing(cluster), pytest.raises(HarnessError) as caught:
        _bring_up(cluster)
    assert "nonsense" in str(caught.value)
    assert f"looked at: {cluster.run.path}: " in str(caught.value)
    assert not cluster.run.path.exists()


def test_a_full_disk_is_named_with_its_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the server has no room for another database, the error names the path, the space and a remedy."""
    with contextlib.closing(start_cluster(next(installations()))) as cluster:
        administrator = Administrator(cluster.address, cluster.run.path)
        with contextlib.closing(administrator), pytest.raises(HarnessError) as caught:
            administrator.run("DO $$ BEGIN RAISE SQLSTATE '53100' USING MESSAGE = 'No space left'; END $$")
    for part in ("No space left", str(cluster.run.path), "MB free of", "remedy", "--shm-size"):
        assert part in str(caught.value)


def test_a_cluster_that_cannot_start_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends `start_cluster`, directory and watchdog go with it."""
    made: list[Cluster] = []

    def start(self: Cluster) -> None:
        made.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(Cluster, "start", start)
    with pytest.raises(KeyboardInterrupt):
        start_cluster(next(installations()))
    assert not made[0].run.path.exists()
    assert not made[0].run.watchdog.running
