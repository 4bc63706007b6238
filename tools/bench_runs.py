"""Runs of pytest for `bench.py`: a suite of 50 database tests, and 200 tests on two cores."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

from rich.progress import Progress

from harness.databases.cache import ClusterCache
from harness.errors import HarnessError
from tools.bench_contenders import scratch_directory
from tools.supervisor import Supervisor

TESTS = {
    "ours/test_empty.py": "def test_nothing(): pass\n",
    "peer/test_empty.py": "def test_nothing(): pass\n",
    "ours/conftest.py": 'pytest_plugins = ["harness.plugin"]\n',
    "ours/test_suite.py": """
        import pytest

        @pytest.mark.parametrize("number", range(50))
        def test_one(number, connection):
            connection.execute("INSERT INTO t1 (name) VALUES ('a')")
            connection.commit()
        """,
    "peer/conftest.py": """
        import sys
        from pathlib import Path

        import pytest
        from pytest_postgresql import factories
        from sqlalchemy import URL

        from harness.config import load_config
        from harness.alembic_config import upgrade

        def load(host, port, user, dbname, **_):
            config = load_config(Path(__file__).parents[1])
            upgrade(config, URL.create("postgresql+psycopg", username=user, host=host, port=port, database=dbname))

        process = factories.postgresql_proc(load=[load])
        postgresql = factories.postgresql("process")
        """,
    "peer/test_suite.py": """
        import pytest

        @pytest.mark.parametrize("number", range(50))
        def test_one(number, postgresql):
            postgresql.execute("INSERT INTO t1 (name) VALUES ('a')")
            postgresql.commit()
        """,
    "busy/conftest.py": 'pytest_plugins = ["harness.plugin"]\n',
    "busy/test_busy.py": """
        import os
        import time

        import pytest

        @pytest.mark.parametrize("number", range(int(os.environ["BUSY"])))
        def test_one(number, connection):
            connection.execute("INSERT INTO t1 (name) VALUES ('a')")
            connection.commit()
            until = time.thread_time() + 0.01
            while time.thread_time() < until:
                pass
        """,
}

PLUGINS = ("pytest_postgresql.plugin", "xdist.plugin")
"""The plugins that the suites need. Others that are installed would only make each start slower."""


@dataclass(frozen=True)
class Suite:
    """The root of a project that contains `TESTS`, and how to run pytest there."""

    root: Path
    sources: Path
    temporary: Path
    pg_ctl: Path
    cache: ClusterCache

    def seconds(self, folder: str, *options: str, busy: int = 0) -> float:
        """Return the seconds that pytest takes for a folder or file of tests.

        Raises:
            HarnessError: when pytest fails, with its output.
        """
        environment = {
            **os.environ,
            "BUSY": str(busy),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(self.sources),
            "XDG_CACHE_HOME": str(self.cache.place),
        }
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(self.root)]
        command += [word for plugin in PLUGINS for word in ("-p", plugin)]
        with scratch_directory("bench-", self.temporary) as directory:
            command += ["--basetemp", f"{directory}/run", "--postgresql-exec", str(self.pg_ctl), *options, folder]
            pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
            with Supervisor() as supervisor:
                start = time.perf_counter()
                run = supervisor.start("pytest", command, cwd=self.root, env=environment, **pipes).process
                output, _ = run.communicate()
                seconds = time.perf_counter() - start
        if run.returncode:
            raise HarnessError(
                f"a run of pytest failed:\n{output.decode()}", looked_at=" ".join(command), remedy="run it by hand"
            )
        return seconds


def measure_runs(suite: Suite, runs: int, record: Callable[[str, float], None], progress: Progress) -> None:
    """Run each suite `runs` times, in turns; `net` is less a run without a database, or less the workers' start."""
    for name, text in TESTS.items():
        path = suite.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    suite.seconds("ours/test_suite.py")  # fills the cache
    task = progress.add_task("whole runs", total=runs)
    for _ in range(runs):
        for folder, name in (("ours", "ours"), ("peer", "pytest-postgresql")):
            empty = suite.seconds(f"{folder}/test_empty.py")
            record(f"suite of 50, {name}, net", (suite.seconds(f"{folder}/test_suite.py") - empty) * 1000)
        for workers in ("0", "2"):
            start = suite.seconds("busy", "-n", workers, busy=int(workers) or 1)
            record(f"200 tests, -n {workers}, net", (suite.seconds("busy", "-n", workers, busy=200) - start) * 1000)
        progress.advance(task)
