"""Measure what a fresh database costs, beside the other ways to one, interleaved on one machine in one run.

    nox -s bench -- [--rounds 30] [--runs 10] [--pg 18] [--peers DIR]

Prints a table and writes build/bench.json. Every figure spans from asking for the database to the first answer on a
new connection, plus handing it back; what the test does in between is not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import platform
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from harness.config import Config, load_config
from harness.databases.cache import ClusterCache
from harness.databases.databases import Databases
from harness.databases.prepared import databases_on, prepared_cluster
from harness.postgres.installations import Installation, choose
from tools.bench_contenders import FIRST, Way, ours, peer, rolled_back, scratch, server_each, write_project
from tools.bench_runs import Suite, measure_runs
from tools.cli import error_exit, whole_number
from tools.supervisor import Supervisor

ROOT = Path(__file__).resolve().parent.parent
FAST = Path("/dev/shm")  # noqa: S108 - a temporary directory is made in it
IN_A_ROW = 3
"""Measurements of one way before the next one's turn, so that what it leaves to the background is felt."""

WITHOUT_PAUSE = 8
"""Tests in a row that all change the schema: more than there are copies ahead, so that each costs what a copy costs."""

DEEDS = {
    "read": "SELECT 1 FROM t2",
    "data": "INSERT INTO t1 (name) VALUES ('a'); INSERT INTO t2 (name) VALUES ('b')",
    "ddl": "CREATE TABLE extra (id int)",
}
"""What the test does between its first answer and handing the database back."""


def milliseconds(way: Way, deed: str) -> float:
    """One test: the time until the first answer plus that of handing back."""
    start = time.perf_counter()
    with way() as connection:
        connection.execute(FIRST.encode()).fetchone()
        answered = time.perf_counter()
        connection.execute(DEEDS[deed].encode())
        if not connection.autocommit and connection.info.dbname == "tests":
            connection.commit()
        done = time.perf_counter()
    return (answered - start + time.perf_counter() - done) * 1000


def first(way: contextlib.AbstractContextManager[Way]) -> float:
    """The first database of a run: from nothing to the first answer; stopping the server is not counted."""
    start = time.perf_counter()
    with way as each, each() as connection:
        connection.execute(FIRST.encode()).fetchone()
        return (time.perf_counter() - start) * 1000


class Bench:
    """The measurements so far, by name, and what is shown of them."""

    def __init__(self, installation: Installation, place: Path, rounds: int, progress: Progress) -> None:
        self.installation, self.place, self.rounds, self.progress = installation, place, rounds, progress
        self.taken: dict[str, list[float]] = {}
        self.cache = ClusterCache(place / "cache")

    def project(self, tables: int) -> Config:
        """The trial project of `tables` tables."""
        roles = load_config(ROOT).roles_path
        return write_project(self.place / f"project{tables}", roles, tables, self.installation.major)

    @contextlib.contextmanager
    def started(self, config: Config, cache: ClusterCache | None = None) -> Iterator[Databases]:
        """Our own server, from the cache."""
        cluster = prepared_cluster(self.installation, config, cache or self.cache)
        with contextlib.closing(cluster), contextlib.closing(databases_on(cluster, config)) as databases:
            yield databases

    def databases(self, tables: int) -> None:
        """Each way to a database of `tables` tables, in turn."""
        config = self.project(tables)
        with contextlib.ExitStack() as stack:
            ways: dict[str, tuple[Way, str]] = {}
            for deed in DEEDS:  # a server each, or one would wait for what another left to the background
                ways[f"ours, {deed}"] = ours(stack.enter_context(self.started(config))), deed
            ways["rolled back"] = rolled_back(stack.enter_context(self.started(config))), "data"
            for name, place, loaded in self.peers(tables):
                ways[name] = stack.enter_context(peer(self.installation, config, place, loaded=loaded)), "data"
            if tables <= 6:
                self.take_server_each(stack, config, ways)
            task = self.progress.add_task(f"{tables} tables", total=self.rounds // IN_A_ROW * len(ways))
            for _ in range(self.rounds // IN_A_ROW):
                for name, (way, deed) in ways.items():
                    for _ in range(IN_A_ROW):
                        self.take(f"{name}, {tables} tables", milliseconds(way, deed))
                    self.progress.advance(task)

    def peers(self, tables: int) -> list[tuple[str, Path, bool]]:
        """pytest-postgresql in its places; the larger templates only on the faster one."""
        default = Path(tempfile.gettempdir())
        all_three = [
            ("pytest-postgresql, tmpfs", FAST, True),
            ("pytest-postgresql, default place", default, True),
            ("pytest-postgresql and alembic, tmpfs", FAST, False),
        ]
        return all_three if tables <= 6 else all_three[: 1 if tables <= 100 else 0]

    def take_server_each(self, stack: contextlib.ExitStack, config: Config, ways: dict[str, tuple[Way, str]]) -> None:
        """testing.postgresql too, where it is installed."""
        try:
            way = stack.enter_context(server_each(self.installation, config, FAST))
            ways["testing.postgresql, tmpfs"] = way, "data"
        except ModuleNotFoundError:
            told = "pip install --target DIR testing.postgresql, then --peers DIR"
            self.progress.console.print(f"testing.postgresql is not here, and left out ({told})")

    def without_pause(self, tables: int) -> None:
        """Tests that all change the schema, each right after the last: what is held ahead is soon used up."""
        task = self.progress.add_task(f"{tables} tables, copies without a pause", total=self.rounds // IN_A_ROW)
        with self.started(self.project(tables)) as databases:
            way = ours(databases)
            for _ in range(self.rounds // IN_A_ROW):
                taken = [milliseconds(way, "ddl") for _ in range(WITHOUT_PAUSE)]
                self.take(f"ours, ddl without a pause, {tables} tables", statistics.mean(taken))
                self.progress.advance(task)

    def firsts(self) -> None:
        """The first database of a run, with a warm cache, a cold one, and pytest-postgresql's."""
        config = self.project(6)
        task = self.progress.add_task("first database", total=self.rounds)
        for number in range(self.rounds):
            cold = ClusterCache(self.place / f"cold{number}")
            self.take("first, warm cache", first(self.first_of(config, self.cache)))
            self.take("first, cold cache", first(self.first_of(config, cold)))
            self.take("first, pytest-postgresql", first(peer(self.installation, config, FAST, loaded=True)))
            shutil.rmtree(cold.place)
            self.progress.advance(task)

    @contextlib.contextmanager
    def first_of(self, config: Config, cache: ClusterCache) -> Iterator[Way]:
        """Our own server, started when asked for, and the way to its databases."""
        with self.started(config, cache) as databases:
            yield ours(databases)

    def take(self, name: str, value: float) -> None:
        """Note one measurement."""
        self.taken.setdefault(name, []).append(value)

    def medians(self) -> dict[str, float]:
        """The median of each measurement, in milliseconds."""
        return {name: round(statistics.median(values), 3) for name, values in self.taken.items()}


def ratios(medians: dict[str, float]) -> dict[str, float]:
    """The ratios that the README shows; below 1 ours is the faster."""

    def ratio(above: str, below: str) -> float:
        return round(medians[above] / medians[below], 3)

    tmpfs, floor = "pytest-postgresql, tmpfs, 6 tables", "rolled back, 6 tables"
    return {
        "data_vs_peer_tmpfs": ratio("ours, data, 6 tables", tmpfs),
        "data_vs_peer_default": ratio("ours, data, 6 tables", "pytest-postgresql, default place, 6 tables"),
        "data_vs_peer_alembic": ratio("ours, data, 6 tables", "pytest-postgresql and alembic, tmpfs, 6 tables"),
        "data_vs_rollback": ratio("ours, data, 6 tables", floor),
        "read_vs_rollback": ratio("ours, read, 6 tables", floor),
        "ddl_vs_peer_tmpfs": ratio("ours, ddl, 6 tables", tmpfs),
        "first_warm": ratio("first, warm cache", "first, pytest-postgresql"),
        "first_cold": ratio("first, cold cache", "first, pytest-postgresql"),
        "suite50": ratio("suite of 50, ours, net", "suite of 50, pytest-postgresql, net"),
        "grow_reset": ratio("ours, data, 1000 tables", "ours, data, 6 tables"),
        "grow_clone": ratio("ours, ddl without a pause, 1000 tables", "ours, ddl without a pause, 6 tables"),
        "grow_clone_ahead": ratio("ours, ddl, 1000 tables", "ours, ddl, 6 tables"),
        "xdist2": ratio("200 tests, -n 2, net", "200 tests, -n 0, net"),
    }


def show(console: Console, medians: dict[str, float], relations: dict[str, float]) -> None:
    """Print both as tables."""
    for title, figures, unit in (("medians", medians, "ms"), ("ratios", relations, "")):
        table = Table(title=title)
        table.add_column("what")
        table.add_column(unit or "ratio", justify="right")
        for name, value in figures.items():
            table.add_row(name, f"{value:,.2f}" if unit else f"{value:.3f}")
        console.print(table)


def measure(arguments: argparse.Namespace) -> None:
    """Run everything, print it and write it to `arguments.output`."""
    installation = choose(load_config(ROOT).postgres, asked=arguments.pg)
    console = Console()
    with scratch("bench-") as directory, Progress(console=console) as progress:
        bench = Bench(installation, Path(directory), arguments.rounds, progress)
        for tables in (6, 100, 1000):
            bench.databases(tables)
            bench.without_pause(tables)
        bench.firsts()
        suite = Suite(bench.project(6).root, ROOT / "src", FAST, Path(installation.program("pg_ctl")), bench.cache)
        measure_runs(suite, arguments.runs, bench.take, progress)
    medians = bench.medians()
    relations = ratios(medians)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, PostgreSQL {installation.version}"
    result = {
        "machine": machine,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "rounds": {"databases": arguments.rounds, "whole runs": arguments.runs},
        "medians_ms": medians,
        "ratios": relations,
    }
    show(console, medians, relations)
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    console.print(f"written to {arguments.output}")


def measure_as_a_user(arguments: argparse.Namespace) -> int:
    """Measure in a user namespace in which root has another name: pytest-postgresql cannot be run by root.

    Both sides then run as the same account, on files that are ours (user_namespaces(7)).
    """
    user = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    with scratch("bench-") as home, Supervisor() as supervisor:
        environment = {**os.environ, "HOME": home, "XDG_CACHE_HOME": home}
        options = [*sys.argv[1:], "--output", str(arguments.output.resolve())]
        command = [*user, sys.executable, "-m", "tools.bench", *options]
        return supervisor.start("measuring process", command, cwd=ROOT, env=environment).process.wait()


def main() -> int:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=whole_number(IN_A_ROW, 1000), default=30, help="measurements of each database")
    parser.add_argument("--runs", type=whole_number(1, 1000), default=10, help="measurements of each run of pytest")
    parser.add_argument("--pg", type=int, help="the Postgres major")
    parser.add_argument("--peers", type=Path, help="a directory in which testing.postgresql is installed")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench.json")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with error_exit("bench"):
            arguments.output.parent.mkdir(exist_ok=True)
            if os.geteuid() == 0:
                return measure_as_a_user(arguments)
            sys.path += [str(arguments.peers)] if arguments.peers else []
            measure(arguments)
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
