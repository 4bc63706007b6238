"""What is in the log, whatever is in the request."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI

from sealy.runtime import logs
from sealy.runtime.observe import Observe
from tests.sealy.asgi import SETTINGS, ask, scope

FORGED = "\r\n12:00:00 INFO    forged\x1b[31m\x85\u2028\u202e"


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """The loggers as they were, afterwards."""
    names = ("sealy", "uvicorn", "uvicorn.access")
    before = [(logger, logger.handlers, logger.propagate) for logger in map(logging.getLogger, names)]
    yield
    for logger, handlers, propagate in before:
        logger.handlers, logger.propagate = handlers, propagate


Lines = Callable[[], list[str]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """What was written since the last call, cut at newlines only, as a reader of logs does."""
    return lambda: capsys.readouterr().err.split("\n")[:-1]


def hostile() -> dict[str, Any]:
    """A request in which everything that a client decides holds newlines and escape codes."""
    forged = FORGED.encode()
    headers = {"user-agent": forged, "x-request-id": forged, "traceparent": forged}
    return scope("GET" + FORGED, "/" + FORGED, headers)


async def nowhere(_scope: Any, _receive: Any, send: Any) -> None:
    """Answers 404."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body"})


async def broken(_scope: Any, _receive: Any, _send: Any) -> None:
    """Fails, with a message that a client has decided."""
    try:
        raise ValueError(FORGED)
    except ValueError:
        logs.log.exception("cannot do %s", FORGED)
    raise ValueError(FORGED)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_request_cannot_forge_a_line(lines: Lines, as_json: bool) -> None:
    """One request is one line of printable characters."""
    logs.configure(as_json=as_json)
    ask(Observe(nowhere, [], [logs.note], SETTINGS), hostile())
    (line,) = lines()
    assert line.isprintable()
    assert "forged" in line


@pytest.mark.parametrize("as_json", [False, True])
def test_a_traceback_cannot_forge_a_line(lines: Lines, as_json: bool) -> None:
    """In JSON it is one line, on a terminal its lines are indented; nobody takes them for others."""
    logs.configure(as_json=as_json)
    with pytest.raises(ValueError, match="forged"):
        ask(Observe(broken, [], [logs.note], SETTINGS), hostile())
    written = lines()
    assert all(line.isprintable() for line in written)
    assert sum(not line.startswith("    ") for line in written) == 2
    assert not any(line.startswith("12:00:00 INFO    forged") for line in written)
    if as_json:
        assert "Traceback" in json.loads(written[0])["message"]


def test_a_json_line_has_the_names_of_cloud_logging(lines: Lines) -> None:
    """Severity and trace are where Google looks for them; the route has the prefixes of all its routers."""
    app = FastAPI()
    router = APIRouter(prefix="/inner")
    router.get("/{number}")(lambda number: number)
    app.include_router(router, prefix="/outer")
    trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    request = scope("GET", "/outer/inner/7", {"traceparent": f"00-{trace}-{span}-01".encode(), "user-agent": b"curl/8"})
    logs.configure(as_json=True)
    ask(Observe(app, app.routes, [logs.note], SETTINGS), request)
    (line,) = map(json.loads, lines())
    assert (line["severity"], line["message"]) == ("INFO", "GET /outer/inner/7 200")
    assert (line["route"], line["db_queries"], line["db_ms"]) == ("/outer/inner/{number}", 0, 0)
    assert (line["client"], line["user_agent"]) == ("192.0.2.1", "curl/8")
    assert line["duration_ms"] > 0
    assert line["logging.googleapis.com/trace"] == trace
    assert line["logging.googleapis.com/spanId"] == span
    assert line["logging.googleapis.com/trace_sampled"] is True


def test_a_request_without_an_answer_is_logged(lines: Lines) -> None:
    """A client that leaves is one with status 499."""

    async def left(_scope: Any, _receive: Any, _send: Any) -> None:
        return

    logs.configure(as_json=True)
    ask(Observe(left, [], [logs.note], SETTINGS), scope("GET", "/"))
    assert [json.loads(line)["status"] for line in lines()] == [499]
