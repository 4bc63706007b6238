"""What stays open: WebSockets, event streams, bodies without an end, and work after the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest
import requests
from websockets.sync.client import connect

from harness.api import bodies, transport
from harness.api.app_server import AppServer
from harness.api.client import Client
from harness.api.fuzzing import BoundedAdapter
from harness.errors import HarnessError
from harness.findings import BrokenPromiseError
from harness.rules import judge
from tests.harness.api.faulty_app import Start

ONE = """
@app.get("/one")
def one():
    with reads.connect() as connection:
        return connection.scalar(text("SELECT max(id) FROM item"))

@app.get("/loop")
def loop():
    with reads.connect() as connection:
        return [connection.scalar(text("SELECT name FROM owner WHERE id = :id"), {"id": id}) for id in (1, 2, 3)]
"""
ECHO = """
@app.websocket("/echo")
async def echo(socket: WebSocket):
    await socket.accept()
    async for word in socket.iter_text():
        with reads.connect() as connection:
            await socket.send_text(word + connection.scalar(text("SELECT min(name) FROM owner")))
"""
ENDLESS = """
@app.get("/events/{topic}", response_class=EventSourceResponse)
async def events(topic: str):
    while True:
        with reads.connect() as connection:
            newest = connection.scalar(text("SELECT max(id) FROM item"))
        yield {topic: newest}
        await asyncio.sleep(0.01)

@app.get("/flood")
async def flood():
    async def lines():
        while True:
            yield "x" * 65536
            await asyncio.sleep(0)
    return StreamingResponse(lines())

@app.get("/silent")
async def silent():
    async def lines():
        yield "one line"
        await asyncio.sleep(60)
    return StreamingResponse(lines())
"""


def socket_url(client: Client, path: str) -> str:
    """The address of a WebSocket of the app."""
    return str(client.base_url.copy_with(scheme="ws").join(path))


def test_an_open_websocket_holds_no_request_up(faulty_app: Start) -> None:
    """Requests are answered while it is open; they are not judged, since its statements may be among theirs."""
    client = faulty_app(ONE + ECHO)
    with connect(socket_url(client, "/echo"), proxy=None) as socket:
        socket.send("hello ")
        assert socket.recv() == "hello owner 0"
        for _ in range(3):
            assert client.get("/loop").status_code == 200
        assert client.transport.unjudged == 3
        socket.send("still ")
        assert socket.recv() == "still owner 0"
    assert client.get("/one").status_code == 200
    assert (client.transport.unjudged, client.last.queries) == (3, 1)


def test_a_request_after_a_websocket_is_judged(faulty_app: Start) -> None:
    """As soon as it is closed, a fault is found again."""
    client = faulty_app(ONE + ECHO)
    with connect(socket_url(client, "/echo"), proxy=None):
        pass
    with pytest.raises(BrokenPromiseError, match="query-loop: GET /loop"):
        client.get("/loop")


def test_an_event_stream_is_read_as_far_as_the_test_wants(faulty_app: Start) -> None:
    """`stream` leaves the reading to the test; the answer is judged when it is closed, and the next one by itself."""
    client = faulty_app(ONE + ENDLESS)
    with client.stream("GET", "/events/todos") as answer:
        lines = (line for line in answer.iter_lines() if line)
        assert [next(lines) for _ in range(3)] == ['data: {"todos": 3}'] * 3
        assert client.get("/one").status_code == 200
    assert client.transport.unjudged == 2
    with client.stream("GET", "/events/todos") as answer:
        next(answer.iter_lines())
    assert (client.transport.unjudged, client.last.route) == (2, "GET /events/{topic}")
    assert client.get("/one").status_code == 200
    assert (client.transport.unjudged, client.last.queries) == (2, 1)


def test_a_streamed_answer_is_judged_when_it_is_closed(faulty_app: Start) -> None:
    """The end of the block raises what the request broke."""
    client = faulty_app(ONE)
    with (
        pytest.raises(BrokenPromiseError, match="query-loop: GET /loop"),
        client.stream("GET", "/loop") as answer,
    ):
        assert answer.read() == b'["owner 0","owner 1","owner 2"]'


def test_a_request_may_hang_up_after_a_part(faulty_app: Start) -> None:
    """An example of an endless stream asks for its first part; what was sent for it counts, and nothing is left."""
    client = faulty_app(ONE + ENDLESS)
    for _ in range(5):
        assert client.get("/events/todos", extensions={"parts": 1}).text.startswith('data: {"todos": 3}')
    assert (client.transport.unjudged, client.last.unsettled, client.last.working) == (0, "", "")
    client.get("/one")
    assert client.last.queries == 1


@pytest.mark.parametrize(
    ("path", "seen"), [("/events/todos", "parts and"), ("/flood", "bytes"), ("/silent", "no further")]
)
def test_a_body_without_an_end_is_an_error(
    faulty_app: Start, monkeypatch: pytest.MonkeyPatch, path: str, seen: str
) -> None:
    """It names the route and what was read, and says how to read less; the next request is served and judged."""
    monkeypatch.setattr(bodies, "LONGEST", 30 if path == "/flood" else 0.3)
    monkeypatch.setattr(bodies, "LARGEST", 2**20)
    client = faulty_app(ONE + ENDLESS)
    route = path.replace("todos", "{topic}")
    with pytest.raises(HarnessError, match=f"GET {route}: the body of its answer did not end") as caught:
        client.get(path, timeout=httpx.Timeout(10, read=0.5))
    assert seen in str(caught.value)
    assert "api.stream" in str(caught.value)
    client.get("/one")
    assert (client.last.queries, client.transport.unjudged) == (1, 0)


WORK = """
@app.post("/late")
def late(tasks: BackgroundTasks):
    tasks.add_task(time.sleep, LONG)

@app.post("/open")
def open_(tasks: BackgroundTasks):
    def work():
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO owner (name) VALUES ('slow')"))
            time.sleep(LONG)
    tasks.add_task(work)
"""


@pytest.mark.parametrize(
    ("path", "rule", "word"),
    [
        ("/late", "still-at-work", "the app still works on the request 0.2 s after its answer; no transaction is open"),
        ("/open", "transaction-left-open", "is in a transaction (T), last statement: INSERT INTO owner"),
    ],
)
def test_work_that_goes_on_is_called_what_it_is(
    faulty_app: Start, monkeypatch: pytest.MonkeyPatch, path: str, rule: str, word: str
) -> None:
    """Only an open transaction is called one."""
    client = faulty_app(ONE + WORK)
    settle = client.wire.settle
    monkeypatch.setattr(client.wire, "settle", lambda: settle(0.2))
    monkeypatch.setattr(transport, "LONGEST_WORK", 0.2)
    client.transport.verdict = partial(judge, strict=True)
    with pytest.raises(BrokenPromiseError) as caught:
        client.post(path)
    assert f": {rule}: POST {path}" in str(caught.value)
    assert word in str(caught.value)
    assert str(caught.value).count(f": POST {path}") == 1


@pytest.fixture
def own_server() -> Iterator[AppServer]:
    """A server that the test stops itself."""
    server = AppServer()
    yield server
    server.close()


def test_a_fuzzed_answer_is_bounded_too(faulty_app: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an event stream the first part is read; what is no event stream must end, or its example says what to read."""
    monkeypatch.setattr(bodies, "LARGEST", 2**20)
    client = faulty_app(ONE + ENDLESS)
    events, one, flood = (str(client.base_url.join(path)) for path in ("/events/todos", "/one", "/flood"))
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", BoundedAdapter(client.transport.inflight))
        assert session.get(events).text == 'data: {"todos": 3}\n\n'
        assert session.get(one).json() == 3
        with pytest.raises(HarnessError, match="GET /flood: the body of its answer did not end"):
            session.get(flood)
        session.mount("http://", BoundedAdapter(client.transport.inflight, parts=1))
        assert set(session.get(flood).text) == {"x"}


async def holding(scope: Any, receive: Any, send: Any) -> None:
    """Starts, and keeps every request open."""
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


def test_an_open_stream_does_not_hold_up_the_end() -> None:
    """Neither the end of the app nor that of the server waits for its client."""
    server = AppServer()
    with httpx.Client(base_url=server.base_url, trust_env=False) as client:
        with server.run(holding, "shop:app"):
            held = client.send(client.build_request("GET", "/"), stream=True)
        server.close()
        assert not server._thread.is_alive()
        held.close()


def test_an_app_ends_after_the_requests_that_clients_have_left(own_server: AppServer) -> None:
    """What is being prepared for a part of a stream still finds the app as it was."""
    seen: list[str] = []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        async def noted() -> Any:
            message = await receive()
            seen.append(message["type"])
            return message

        await holding(scope, noted, send)
        if scope["type"] == "http":
            await asyncio.sleep(0.2)
            seen.append("the end of the request")

    with (
        own_server.run(slow, "shop:app"),
        httpx.Client(base_url=own_server.base_url, trust_env=False) as client,
        client.stream("GET", "/") as answer,
    ):
        assert next(answer.iter_raw()) == b"one"
    assert seen[-3:] == ["http.disconnect", "the end of the request", "lifespan.shutdown"]
