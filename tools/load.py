"""Compare the app's read with raw psycopg and a bare endpoint: requests per second and latency, in turns.

It loops over httpcore: locust's statistics stay empty for rounds as short as these, and wrk is not a Python package.
The client shares the machine's cores, so compare the rows with each other.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpcore
from rich.console import Console
from rich.progress import track
from rich.table import Table

from harness.api.app_process import AppProcess
from harness.config import load_config
from harness.databases.databases import Database
from harness.errors import HarnessError
from harness.run import Choice, Run
from tools.cli import error_exit, whole_number

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ROOT / "build" / "load.json"
REFERENCE = "tests.api.reference:create_app"
READ = "/v1/todos/1"
CLIENTS = 8

TODO = """
    WITH owner AS (INSERT INTO users (email) VALUES ('load@example.org') RETURNING id)
    INSERT INTO todos (id, owner_id, title) OVERRIDING SYSTEM VALUE SELECT 1, id, 'Water the plants' FROM owner
"""


async def ask(url: str, seconds: float) -> list[float]:
    """Send requests over CLIENTS connections for `seconds`, and return the seconds of each request.

    Raises:
        HarnessError: for a status other than 200.
    """
    taken: list[float] = []

    async def client(pool: httpcore.AsyncConnectionPool, until: float) -> None:
        while (begun := time.perf_counter()) < until:
            answer = await pool.request("GET", url)
            if answer.status != 200:
                problem = f"{url} answered {answer.status}: {answer.content[:200]!r}"
                raise HarnessError(problem, remedy="correct the endpoint: only 200 counts")
            taken.append(time.perf_counter() - begun)

    async with httpcore.AsyncConnectionPool(max_connections=CLIENTS) as pool:
        until = time.perf_counter() + seconds
        await asyncio.gather(*(client(pool, until) for _ in range(CLIENTS)))
    return taken


def measure(database: Database, rounds: int, seconds: float) -> dict[str, list[list[float]]]:
    """Return the latencies of each round, by endpoint."""
    config = load_config(ROOT)
    dsn = database.as_role("app").dsn
    with contextlib.ExitStack() as started:
        app = started.enter_context(AppProcess(config, dsn)).base_url
        reference = started.enter_context(AppProcess(replace(config, app=REFERENCE), dsn)).base_url
        urls = {"bare FastAPI": f"{reference}/bare", "raw psycopg": f"{reference}{READ}", "the app": f"{app}{READ}"}
        for url in urls.values():
            asyncio.run(ask(url, 0.5))
        found: dict[str, list[list[float]]] = {name: [] for name in urls}
        for _ in track(range(rounds), "Rounds", console=Console(stderr=True)):
            for name, url in urls.items():
                found[name].append(asyncio.run(ask(url, seconds)))
    return found


def figures(rounds: list[list[float]], seconds: float) -> dict[str, Any]:
    """Return requests per second (median of the rounds) and percentiles of the latency in milliseconds."""
    cuts = statistics.quantiles([each for taken in rounds for each in taken], n=100)
    rate = statistics.median(len(taken) / seconds for taken in rounds)
    return {"requests_per_second": round(rate), "p50_ms": round(cuts[49] * 1e3, 2), "p99_ms": round(cuts[98] * 1e3, 2)}


def show(results: dict[str, dict[str, Any]]) -> None:
    """Print the table and write build/load.json."""
    WRITTEN.parent.mkdir(exist_ok=True)
    WRITTEN.write_text(json.dumps({"clients": CLIENTS, "path": READ, "results": results}, indent=2) + "\n")
    table = Table("GET", "requests/s", "p50 ms", "p99 ms", title=f"{CLIENTS} clients on loopback")
    for name, row in results.items():
        table.add_row(name, *map(str, row.values()))
    Console().print(table)


def main() -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(prog="load", description=__doc__)
    parser.add_argument("--rounds", type=whole_number(1, 60), default=5, metavar="N", help="1 to 60 (default: 5)")
    parser.add_argument(
        "--seconds", type=whole_number(1, 30), default=2, metavar="N", help="of a round, 1 to 30 (default: 2)"
    )
    chosen = parser.parse_args()
    with error_exit("load"):
        config = load_config(ROOT)
        with contextlib.closing(Run(config, Choice(config.postgres))) as session:
            database = session.databases.create(migrated=True)
            with database.connect() as connection:
                connection.execute(TODO)
            found = measure(database, chosen.rounds, chosen.seconds)
        show({name: figures(rounds, chosen.seconds) for name, rounds in found.items()})


if __name__ == "__main__":
    main()
