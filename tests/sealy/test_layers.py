"""What the layers around the routes leave as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sealy.runtime.edge import Door
from sealy.runtime.metrics import Metrics
from sealy.runtime.observe import Observe, Observed
from tests.sealy.asgi import ask, scope


async def streaming(_scope: Any, _receive: Any, send: Any) -> None:
    """Answers in two parts, which a cache may keep."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"max-age=60")]})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    await send({"type": "http.response.body", "body": b"two"})


def test_a_route_may_allow_copies() -> None:
    """A cache-control of the route's own is the only one in the answer."""
    reply = ask(Door(streaming, edge_key=None, largest_body=1), scope("GET", "/"))
    assert reply.headers["cache-control"] == "max-age=60"


def test_an_answer_in_parts_is_told_once() -> None:
    """It counts when its last part goes out."""
    told: list[Observed] = []
    assert ask(Observe(streaming, [told.append], server_timing=False), scope("GET", "/")).body == b"onetwo"
    assert [request.status for request in told] == [200]


def test_an_operator_names_where_workers_keep_their_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PROMETHEUS_MULTIPROC_DIR counts as everywhere; the directory is made, for this account alone."""
    place = tmp_path / "numbers"
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(place))
    Metrics()
    assert place.stat().st_mode & 0o777 == 0o700
