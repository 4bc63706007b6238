"""Every expression of the dashboard and of docs/operating.md, asked of a real Prometheus that reads the real app."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.api.client import Client
from tests.api.examples import EXAMPLES

pytestmark = [pytest.mark.api, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "deploy" / "grafana" / "requests.json"
WITHIN = 60.0
"""Seconds until each expression has an answer: Prometheus reads once a second, and a rate needs two readings."""

CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: app
    static_configs: [{{targets: ["{target}"]}}]
"""


def expressions() -> list[str]:
    """Those of the panels, then those of the page."""
    panels: list[dict[str, Any]] = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    shown = [target["expr"] for panel in panels for target in panel["targets"]]
    return shown + re.findall(r"```promql\n(.+?)\n```", page, re.DOTALL)


def comparable(expression: str) -> str:
    """Without a comparison at its end, which has no answer where all is well."""
    return re.sub(r" > [\d.]+$", "", expression)


@pytest.fixture
def prometheus(api: Client, tmp_path: Path) -> Iterator[httpx.Client]:
    """A Prometheus that reads the app's /metrics every second."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("no prometheus on PATH: apt-get install prometheus")
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(CONFIGURATION.format(target=f"{api.base_url.host}:{api.base_url.port}"), encoding="utf-8")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    command = [program, f"--config.file={configuration}", f"--web.listen-address={address}"]
    command.append(f"--storage.tsdb.path={tmp_path / 'data'}")
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        with httpx.Client(base_url=f"http://{address}", trust_env=False) as client:
            yield client
        process.terminate()


def answer(prometheus: httpx.Client, expression: str) -> list[Any]:
    """The series of an expression; none while Prometheus is not up yet."""
    try:
        reply = prometheus.get("/api/v1/query", params={"query": expression})
    except httpx.TransportError:
        return []
    if reply.status_code == 503:
        return []
    assert reply.status_code == 200, f"{expression}\n{reply.text}"
    return [series for series in reply.json()["data"]["result"] if series["value"][1] != "NaN"]


def test_every_expression_has_an_answer(api: Client, prometheus: httpx.Client) -> None:
    """Names, labels and bounds are those that the app shows; all of it works on a running server."""
    waiting = list(map(comparable, expressions()))
    assert len(waiting) > 10
    with api.operator() as connection:
        connection.execute("DELETE FROM alembic_version")  # /ready answers 503, for the share of failures
    deadline = time.monotonic() + WITHIN
    while waiting and time.monotonic() < deadline:
        for example in EXAMPLES.values():
            api.send(example(api))
        api.get("/nowhere")
        waiting = [expression for expression in waiting if not answer(prometheus, expression)]
    assert waiting == []
    (routes,) = answer(prometheus, "count(count by (route) (http_request_db_queries_count))")
    assert int(routes["value"][1]) >= len({route.split(" ")[1] for route in EXAMPLES})
