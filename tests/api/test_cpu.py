"""What the app's layers cost: its CPU compared with the same statements through raw psycopg, in the same run."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import httpx
import pytest

from harness.api.app_process import AppProcess
from harness.api.client import Client
from harness.config import Config
from harness.sql.normalise import normalise
from tests.api.examples import todo, user

pytestmark = [pytest.mark.api, pytest.mark.nightly]

ROUNDS = 50
REQUESTS = 20
MOST = 1.5
"""Times the CPU of raw psycopg."""


def spend(process: AppProcess, client: httpx.Client, path: str) -> float:
    """CPU seconds of the process for a round of requests."""
    before = process.cpu_seconds
    for _ in range(REQUESTS):
        client.get(path).raise_for_status()
    return process.cpu_seconds - before


@pytest.mark.parametrize("path", ["/v1/todos/{todo_id}", "/v1/todos?limit=20"])
def test_the_app_costs_little_more_than_raw_psycopg(
    api: Client, app_process: AppProcess, harness_config: Config, path: str
) -> None:
    """One todo, and a list of 20 with their tags: short rounds in turn, and the median of their ratios, so that a busy
    machine counts for both or for neither. Both write one access line a request; the reference does nothing else that
    a service needs."""
    owner = user(api)
    path = path.format(todo_id=[todo(api, owner) for _ in range(25)][-1])
    raw = replace(harness_config, app="tests.api.reference:create_app")
    with (
        AppProcess(raw, api.app_dsn, access_log=True) as reference_process,
        api.at(app_process.base_url) as app,
        api.at(reference_process.base_url) as reference,
    ):
        with api.wire.recording() as of_app:
            answer = app.get(path).json()
        with api.wire.recording() as of_reference:
            expected = reference.get(path).json()
        api.wire.settle()
        assert [normalise(text) for text in of_app.texts] == [normalise(text) for text in of_reference.texts]
        assert answer.get("items", answer) == expected.get("items", expected)
        rounds = [(spend(app_process, app, path), spend(reference_process, reference, path)) for _ in range(ROUNDS)]
    ours, theirs = (median(column) / REQUESTS * 1000 for column in zip(*rounds, strict=True))
    ratio = median(one / other for one, other in rounds)
    print(f"\nCPU per request of {path}: {ours:.2f} ms, raw psycopg {theirs:.2f} ms, ratio {ratio:.2f}")
    assert ratio < MOST
