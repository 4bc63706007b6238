"""What Prometheus is shown, by one process and by two."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import IO

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from sealy.main import create_app
from tests.sealy.asgi import SETTINGS, ask, scope

REQUESTS = 2000

Sample = tuple[str, str, str, str]


def samples(text: str) -> dict[Sample, float]:
    """The counts of a scrape by name, method, route and status; buckets left out."""
    return {
        (each.name, each.labels["method"], each.labels["route"], each.labels.get("status", "")): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
        if "le" not in each.labels and "method" in each.labels
    }


def test_clients_cannot_make_up_series() -> None:
    """Any number of paths and methods that are none add one series of each kind."""
    app = create_app(SETTINGS)
    before = requests(app)
    for number in range(100):
        ask(app, scope("GET", f"/nowhere/{number}"))
        ask(app, scope(f"BREW{number}", f"/v1/todos/{number}"))
    assert requests(app) - before == {
        ("GET", "<none>", "404"): 100,
        ("<other>", "/v1/todos/{todo_id}", "405"): 100,
        ("GET", "/metrics", "200"): 1,
    }


def requests(app: FastAPI) -> Counter[tuple[str, ...]]:
    """How many requests this process has answered, by method, route and status."""
    shown = samples(ask(app, scope("GET", "/metrics")).body.decode())
    return Counter({key[1:]: int(value) for key, value in shown.items() if key[0].endswith("duration_seconds_count")})


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """Two workers of one uvicorn with a directory for their metrics: their address, and the lines of their logs."""
    root = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": str(root / "src"), "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    env |= {"APP_DATABASE_URL": "postgresql://ada@/todos?host=/no/server", "APP_LOG_FORMAT": "json"}
    command = [sys.executable, "-m", "uvicorn", "--factory", "sealy.main:create_app", "--port", "0", "--workers", "2"]
    command += ["--timeout-worker-healthcheck", "60"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        lines: list[str] = []
        address, complete = "", 0
        while not (address and complete == 2):
            line = process.stderr.readline()
            assert line, "".join(lines)
            lines.append(line)
            complete += "Application startup complete" in line
            if found := re.search(r"running on (http://[\d.]+:\d+)", line):
                address = found[1]
        reader = Thread(target=read, args=(process.stderr, lines))
        reader.start()
        yield address, lines
        process.terminate()
        process.wait(timeout=30)
        reader.join(timeout=30)


def read(stream: IO[str], lines: list[str]) -> None:
    """Keep what is written, so that the writer never waits."""
    lines.extend(stream)


@pytest.mark.slow
def test_every_scrape_of_two_workers_shows_all_requests(workers: tuple[str, list[str]]) -> None:
    """2,000 requests are answered by both, and whichever is asked afterwards shows 2,000."""
    address, lines = workers

    def send(_: int) -> int:
        with httpx.Client(base_url=address, trust_env=False) as client:
            return sum(client.get("/health").status_code == 200 for _ in range(20))

    with ThreadPoolExecutor(4) as clients:
        assert sum(clients.map(send, range(REQUESTS // 20))) == REQUESTS
        scrapes = list(clients.map(lambda _: httpx.get(f"{address}/metrics", trust_env=False).text, range(40)))
    for name in ("duration_seconds", "db_queries", "db_seconds"):
        status = "200" if name == "duration_seconds" else ""
        key = (f"http_request_{name}_count", "GET", "/health", status)
        assert [samples(text)[key] for text in scrapes] == [REQUESTS] * len(scrapes)
    written = [json.loads(line) for line in lines if '"route"' in line]
    for route in ("/health", "/metrics"):
        assert len({line["pid"] for line in written if line["route"] == route}) == 2, route
