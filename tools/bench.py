"""Measure what a fresh database costs, compared with other tools, in turns on one machine.

    nox -s bench -- [--rounds 30] [--runs 10] [--pg 18] [--peers DIR]

Prints tables and writes build/bench.json. A figure is the time from the request for the database to the first answer on
a new connection, plus the time to hand the database back. What the test does in between does not count.
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
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from harness.config import Config, load_config
from harness.databases.cache import ClusterCache
from harness.databases.databases import Databases
from harness.databases.prepared import databases_on, prepared_cluster
from harness.postgres.installations import Installation, choose
from tools.bench_contenders import (
    Contender,
    ours,
    pytest_postgresql,
    rolled_back,
    scratch_directory,
    testing_postgresql,
    write_project,
)
from tools.bench_runs import Suite, measure_runs
from tools.cli import error_exit, whole_number
from tools.supervisor import Supervisor

ROOT = Path(__file__).resolve().parent.parent
FAST = Path("/dev/shm")  # noqa: S108 - a temporary directory is made in it
TURN = 3
"""Measurements of one contender before the next one's turn: the work that it leaves to the background then counts."""

BURST = 8
"""Tests in a row that all change the schema: more than there are clones ahead, so that each one waits for a clone."""

FIRST_QUERY = b"SELECT count(*) FROM t1"
"""The query whose answer ends the set-up."""

WORKLOADS = {
    "read": "SELECT 1 FROM t2",
    "data": "INSERT INTO t1 (name) VALUES ('a'); INSERT INTO t2 (name) VALUES ('b')",
    "ddl": "CREATE TABLE extra (id int)",
}
"""What the test does after the first answer."""


def time_test(contender: Contender, workload: str) -> float:
    """Return the milliseconds of one test: until the first answer, and to hand the database back."""
    start = time.perf_counter()
    with contender() as connection:
        connection.execute(FIRST_QUERY).fetchone()
        answered = time.perf_counter()
        connection.execute(WORKLOADS[workload].encode())
        if not connection.autocommit and connection.info.dbname == "tests":
            connection.commit()
        done = time.perf_counter()
    return (answered - start + time.perf_counter() - done) * 1000


def time_first(contender: contextlib.AbstractContextManager[Contender]) -> float:
    """Return the milliseconds of a run's first database, with the start of the server and without its stop."""
    start = time.perf_counter()
    with contender as connect, connect() as connection:
        connection.execute(FIRST_QUERY).fetchone()
        return (time.perf_counter() - start) * 1000


class Bench:
    """The measurements by name, and the progress that is shown."""

    def __init__(self, installation: Installation, place: Path, rounds: int, progress: Progress) -> None:
        self.installation, self.place, self.rounds, self.progress = installation, place, rounds, progress
        self.samples: dict[str, list[float]] = {}
        self.cache = ClusterCache(place / "cache")

    def record(self, name: str, value: float) -> None:
        """Add one measurement, in milliseconds."""
        self.samples.setdefault(name, []).append(value)

    def medians(self) -> dict[str, float]:
        """Return the median of each measurement, in milliseconds."""
        return {name: round(statistics.median(values), 3) for name, values in self.samples.items()}

    def project(self, tables: int) -> Config:
        """Write the project of `tables` tables."""
        roles = load_config(ROOT).roles_path
        return write_project(self.place / f"project{tables}", roles, tables, self.installation.major)

    @contextlib.contextmanager
    def contender(
        self, config: Config, cache: ClusterCache | None = None, make: Callable[[Databases], Contender] = ours
    ) -> Iterator[Contender]:
        """Start our server, from the cache, and give `make` of its databases."""
        cluster = prepared_cluster(self.installation, config, cache or self.cache)
        with contextlib.closing(cluster), contextlib.closing(databases_on(cluster, config)) as databases:
            yield make(databases)

    def measure_databases(self, tables: int) -> None:
        """Measure each contender's databases of `tables` tables, in turns."""
        config = self.project(tables)
        with contextlib.ExitStack() as stack:
            contenders: dict[str, tuple[Contender, str]] = {}
            for workload in WORKLOADS:  # a server each, or one would wait for the background work of another
                contenders[f"ours, {workload}"] = stack.enter_context(self.contender(config)), workload
            contenders["rolled back"] = stack.enter_context(self.contender(config, make=rolled_back)), "data"
            for name, place, loaded in self.peers(tables):
                peer = pytest_postgresql(self.installation, config, place, loaded=loaded)
                contenders[name] = stack.enter_context(peer), "data"
            if tables <= 6:
                self.add_testing_postgresql(stack, config, contenders)
            task = self.progress.add_task(f"{tables} tables", total=self.rounds // TURN * len(contenders))
            for _ in range(self.rounds // TURN):
                for name, (contender, workload) in contenders.items():
                    for _ in range(TURN):
                        self.record(f"{name}, {tables} tables", time_test(contender, workload))
                    self.progress.advance(task)

    def peers(self, tables: int) -> list[tuple[str, Path, bool]]:
        """Return the name, the place and `loaded` of each pytest-postgresql; of many tables only the fastest."""
        all_three = [
            ("pytest-postgresql, tmpfs", FAST, True),
            ("pytest-postgresql, default place", Path(tempfile.gettempdir()), True),
            ("pytest-postgresql and alembic, tmpfs", FAST, False),
        ]
        return all_three if tables <= 6 else all_three[: 1 if tables <= 100 else 0]

    def add_testing_postgresql(
        self, stack: contextlib.ExitStack, config: Config, contenders: dict[str, tuple[Contender, str]]
    ) -> None:
        """Add testing.postgresql if it is installed."""
        try:
            peer = stack.enter_context(testing_postgresql(self.installation, config, FAST))
            contenders["testing.postgresql, tmpfs"] = peer, "data"
        except ModuleNotFoundError:
            remedy = "pip install --target DIR testing.postgresql, then --peers DIR"
            self.progress.console.print(f"testing.postgresql is left out, because it is not installed: {remedy}")

    def measure_bursts(self, tables: int) -> None:
        """Measure tests that all change the schema and follow each other at once: the clones made ahead run out."""
        task = self.progress.add_task(f"{tables} tables, clones without a pause", total=self.rounds // TURN)
        with self.contender(self.project(tables)) as contender:
            for _ in range(self.rounds // TURN):
                times = [time_test(contender, "ddl") for _ in range(BURST)]
                self.record(f"ours, ddl without a pause, {tables} tables", statistics.mean(times))
                self.progress.advance(task)

    def measure_first(self) -> None:
        """Measure the first database of a run: with a warm cache, with a cold one, and pytest-postgresql's."""
        config = self.project(6)
        task = self.progress.add_task("first database", total=self.rounds)
        for number in range(self.rounds):
            cold = ClusterCache(self.place / f"cold{number}")
            self.record("first, warm cache", time_first(self.contender(config, self.cache)))
            self.record("first, cold cache", time_first(self.contender(config, cold)))
            peer = pytest_postgresql(self.installation, config, FAST, loaded=True)
            self.record("first, pytest-postgresql", time_first(peer))
            shutil.rmtree(cold.place)
            self.progress.advance(task)


PEER, FLOOR = "pytest-postgresql, tmpfs, 6 tables", "rolled back, 6 tables"
RATIOS = {
    "data_vs_peer_tmpfs": ("ours, data, 6 tables", PEER),
    "data_vs_peer_default": ("ours, data, 6 tables", "pytest-postgresql, default place, 6 tables"),
    "data_vs_peer_alembic": ("ours, data, 6 tables", "pytest-postgresql and alembic, tmpfs, 6 tables"),
    "data_vs_rollback": ("ours, data, 6 tables", FLOOR),
    "read_vs_rollback": ("ours, read, 6 tables", FLOOR),
    "ddl_vs_peer_tmpfs": ("ours, ddl, 6 tables", PEER),
    "first_warm": ("first, warm cache", "first, pytest-postgresql"),
    "first_cold": ("first, cold cache", "first, pytest-postgresql"),
    "suite50": ("suite of 50, ours, net", "suite of 50, pytest-postgresql, net"),
    "grow_reset": ("ours, data, 1000 tables", "ours, data, 6 tables"),
    "grow_clone": ("ours, ddl without a pause, 1000 tables", "ours, ddl without a pause, 6 tables"),
    "grow_clone_ahead": ("ours, ddl, 1000 tables", "ours, ddl, 6 tables"),
    "xdist2": ("200 tests, -n 2, net", "200 tests, -n 0, net"),
}
"""The two measurements of each ratio; below 1 the first is faster."""


def show(console: Console, medians: dict[str, float], ratios: dict[str, float]) -> None:
    """Print both as tables."""
    for title, figures, unit in (("medians", medians, "ms"), ("ratios", ratios, "")):
        table = Table(title=title)
        table.add_column("what")
        table.add_column(unit or "ratio", justify="right")
        for name, value in figures.items():
            table.add_row(name, f"{value:,.2f}" if unit else f"{value:.3f}")
        console.print(table)


def measure(arguments: argparse.Namespace) -> None:
    """Measure everything, print it and write it to `arguments.output`."""
    installation = choose(load_config(ROOT).postgres, asked=arguments.pg)
    console = Console()
    with scratch_directory("bench-") as directory, Progress(console=console) as progress:
        bench = Bench(installation, Path(directory), arguments.rounds, progress)
        for tables in (6, 100, 1000):
            bench.measure_databases(tables)
            bench.measure_bursts(tables)
        bench.measure_first()
        suite = Suite(bench.project(6).root, ROOT / "src", FAST, Path(installation.program("pg_ctl")), bench.cache)
        measure_runs(suite, arguments.runs, bench.record, progress)
    medians = bench.medians()
    ratios = {name: round(medians[first] / medians[second], 3) for name, (first, second) in RATIOS.items()}
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, PostgreSQL {installation.version}"
    result = {
        "machine": machine,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "rounds": {"databases": arguments.rounds, "whole runs": arguments.runs},
        "medians_ms": medians,
        "ratios": ratios,
    }
    show(console, medians, ratios)
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    console.print(f"written to {arguments.output}")


def measure_as_a_user(arguments: argparse.Namespace) -> int:
    """Measure in a user namespace without root, as which pytest-postgresql cannot run (user_namespaces(7))."""
    user = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    with scratch_directory("bench-") as home, Supervisor() as supervisor:
        environment = {**os.environ, "HOME": home, "XDG_CACHE_HOME": home}
        options = [*sys.argv[1:], "--output", str(arguments.output.resolve())]
        command = [*user, sys.executable, "-m", "tools.bench", *options]
        return supervisor.start("measuring process", command, cwd=ROOT, env=environment).process.wait()


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=whole_number(TURN, 1000), default=30, help="measurements of each contender")
    parser.add_argument("--runs", type=whole_number(1, 1000), default=10, help="measurements of each run of pytest")
    parser.add_argument("--pg", type=int, help="the PostgreSQL major")
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
