"""What a client may say about itself: nothing. A real Caddy, and the Worker in a real workerd, before the real app."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import ClassVar

import httpx
import pytest

from harness.databases.databases import Database
from tests.deploy.conftest import ROOT, Serve, Served, free_port, started
from tests.deploy.test_schemas import need

KEY = "a key of the edge, 32 letters or so"

FORGED = {
    "X-Forwarded-For": "203.0.113.66",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": "for=203.0.113.66",
    "X-Real-IP": "203.0.113.66",
    "X-Client-IP": "203.0.113.66",
    "CF-Connecting-IP": "203.0.113.66",
    "X-Edge-Key": "guessed",
}
"""What a client sends that would like to be somebody else."""

CAPNP = """
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["private", "public"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "{date}",
  bindings = [
    (name = "ORIGIN", text = {origin}),
    (name = "EDGE_KEY", text = {key}),
  ],
);
"""


def addresses(served: Served) -> list[str]:
    """The clients' addresses in the app's access log, in order of the requests."""
    lines = [json.loads(line) for line in served.log.read_text().splitlines() if line.startswith("{")]
    return [line["client"] for line in lines if "client" in line]


def fill(text: str, values: Mapping[str, object]) -> str:
    """Put values in for {names}; all other braces are the text's own."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


@contextlib.contextmanager
def caddy(base_url: str, tmp_path: Path) -> Iterator[str]:
    """Caddy with the Caddyfile of the machine; yields its address."""
    port = free_port()
    upstream = base_url.removeprefix("http://")
    environment = {"SITE": f"http://127.0.0.1:{port}", "UPSTREAM": upstream, "HOME": str(tmp_path)}
    command = [need("caddy"), "run", "--adapter", "caddyfile", "--config", str(ROOT / "deploy/vm/Caddyfile")]
    with started(command, {"PATH": os.environ["PATH"], **environment}, port, tmp_path / "caddy.log"):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def machine(serve: Serve, database: Database, tmp_path: Path) -> Iterator[tuple[httpx.Client, Served]]:
    """A client of Caddy, with the app behind it as the compose file configures it."""
    dsn = database.as_role("app").dsn
    with (
        serve(APP_DATABASE_URL=dsn, APP_LOG_FORMAT="json", FORWARDED_ALLOW_IPS="127.0.0.0/8") as served,
        caddy(served.base_url, tmp_path) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=30) as client,
    ):
        yield client, served


@contextlib.contextmanager
def worker(origin: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of the Worker in workerd, which calls `origin`."""
    workerd = need("workerd", str(ROOT / "node_modules/.bin/workerd"))
    port = free_port()
    text = (ROOT / "deploy/cloudflare/wrangler.jsonc").read_text(encoding="utf-8")
    date = text.partition('"compatibility_date": "')[2][:10]
    shutil.copy(ROOT / "deploy/cloudflare/worker.js", tmp_path)
    values = {"port": port, "date": date, "origin": json.dumps(origin), "key": json.dumps(KEY)}
    config = tmp_path / "workerd.capnp"
    config.write_text(fill(CAPNP, values))
    command = [workerd, "serve", str(config)]
    with (
        started(command, {"PATH": os.environ["PATH"]}, port, tmp_path / "workerd.log"),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client,
    ):
        yield client


@pytest.fixture
def edge(serve: Serve, database: Database, tmp_path: Path) -> Iterator[tuple[httpx.Client, Served]]:
    """A client of the Worker, with the app behind it as Cloud Run configures it."""
    dsn = database.as_role("app").dsn
    with (
        serve(APP_DATABASE_URL=dsn, APP_LOG_FORMAT="json", APP_EDGE_KEY=KEY) as served,
        worker(served.base_url, tmp_path) as client,
    ):
        yield client, served


class Origin(http.server.BaseHTTPRequestHandler):
    """Remembers the headers that it is sent."""

    seen: ClassVar[list[dict[str, str]]] = []

    def do_GET(self) -> None:
        """Answer with nothing."""
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(204)
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def origin() -> Iterator[str]:
    """The address of an Origin."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_behind_caddy_the_address_is_that_of_the_connection(machine: tuple[httpx.Client, Served]) -> None:
    """Whatever headers a client sends, the log has the address that Caddy saw."""
    client, served = machine
    assert client.get("/v1/users/1", headers=FORGED).status_code == 404
    assert client.get("/v1/users/1").status_code == 404
    assert addresses(served) == ["127.0.0.1", "127.0.0.1"]


def test_without_a_proxy_nobody_is_believed(serve: Serve, database: Database) -> None:
    """As on Cloud Run, where only the loopback may speak for others: here it is not even that."""
    dsn = database.as_role("app").dsn
    with serve(APP_DATABASE_URL=dsn, APP_LOG_FORMAT="json", FORWARDED_ALLOW_IPS="192.0.2.1") as served:
        httpx.get(f"{served.base_url}/health", headers=FORGED, trust_env=False)
    assert addresses(served) == ["127.0.0.1"]


def test_behind_the_tunnel_the_last_address_counts(serve: Serve, database: Database) -> None:
    """Cloudflare appends the client's address to what the client wrote, and cloudflared is a trusted neighbour."""
    dsn = database.as_role("app").dsn
    with serve(APP_DATABASE_URL=dsn, APP_LOG_FORMAT="json", FORWARDED_ALLOW_IPS="127.0.0.0/8") as served:
        headers = {**FORGED, "X-Forwarded-For": "203.0.113.66, 198.51.100.7"}
        httpx.get(f"{served.base_url}/health", headers=headers, trust_env=False)
    assert addresses(served) == ["198.51.100.7"]


def test_requests_wait_while_the_app_is_replaced(serve: Serve, database: Database, tmp_path: Path) -> None:
    """Caddy holds what it cannot hand over yet; a deployment on one machine refuses nobody."""
    port = free_port()
    with (
        caddy(f"http://127.0.0.1:{port}", tmp_path) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=30) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        waiting = pool.submit(client.post, "/v1/users", json={"email": "ann@example.org"})
        with serve(PORT=str(port), APP_DATABASE_URL=database.as_role("app").dsn):
            assert waiting.result(timeout=30).status_code == 201


def test_caddy_shows_no_metrics(machine: tuple[httpx.Client, Served]) -> None:
    """However the path is written."""
    client, _ = machine
    for path in ("/metrics", "/metrics/", "//metrics", "/%6detrics", "/v1/../metrics", "/METRICS"):
        answer = client.get(path)
        assert (answer.status_code, "http_request" in answer.text) == (404, False), path


def test_caddy_takes_no_body_without_end(machine: tuple[httpx.Client, Served]) -> None:
    """A body that is too long, announced and in chunks, is refused; a small one reaches the app."""
    client, _ = machine
    body = b"x" * 100_000
    json_type = {"Content-Type": "application/json"}
    assert client.post("/v1/users", content=body, headers=json_type).status_code == 413
    assert client.post("/v1/users", content=iter([body]), headers=json_type).status_code == 413
    assert client.post("/v1/users", content=b"{}", headers=json_type).status_code == 422


@pytest.mark.parametrize(
    ("framing", "first", "rest"),
    [
        (b"Transfer-Encoding: chunked", b"%x\r\n" % 600_000 + b"x" * 200_000, b"x" * 400_000 + b"\r\n0\r\n\r\n"),
        (b"Content-Length: 600000", b"x" * 200_000, b"x" * 400_000),
    ],
    ids=["in chunks", "announced"],
)
def test_the_rest_of_a_refused_body_is_never_a_request(
    machine: tuple[httpx.Client, Served], framing: bytes, first: bytes, rest: bytes
) -> None:
    """413 before the body's end, and then the connection ends: nothing can be smuggled in behind it."""
    client, _ = machine
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=30) as connection:
        head = b"POST /v1/users HTTP/1.1\r\nHost: %b\r\n%b\r\n\r\n" % (client.base_url.netloc, framing)
        connection.sendall(head + first)
        answers = connection.recv(65536)
        with contextlib.suppress(ConnectionError):
            connection.sendall(rest)
            while more := connection.recv(65536):
                answers += more
    assert (answers.count(b"HTTP/1.1 "), answers[:12]) == (1, b"HTTP/1.1 413")


def test_the_worker_says_who_the_client_is(edge: tuple[httpx.Client, Served]) -> None:
    """The app believes the address that Cloudflare put on the request, and nothing else that the client sent."""
    client, served = edge
    cloudflare = {**FORGED, "CF-Connecting-IP": "198.51.100.7"}  # Cloudflare overwrites what a client sends here
    assert client.get("/v1/users/1", headers=cloudflare).status_code == 404
    assert client.get("/v1/users/1", headers={"CF-Connecting-IP": "2001:db8::7"}).status_code == 404
    assert addresses(served)[-2:] == ["198.51.100.7", "2001:db8::7"]


def test_the_worker_drops_what_a_client_says_for_others(origin: str, tmp_path: Path) -> None:
    """No header with which a client would speak for the edge or for another host arrives; its own do."""
    with worker(origin, tmp_path) as client:
        client.get("/", headers={**FORGED, "True-Client-IP": "203.0.113.66", "traceparent": "its own"})
    (seen,) = Origin.seen
    assert (seen.pop("x-edge-key"), seen.pop("x-client-ip")) == (KEY, FORGED["CF-Connecting-IP"])
    assert seen["traceparent"] == "its own"
    assert [name for name, value in seen.items() if value in FORGED.values() or "203.0.113.66" in value] == []


def test_past_the_worker_nobody_gets_in(edge: tuple[httpx.Client, Served]) -> None:
    """Without the key, or with another, the app answers 403; with the right one it would be the Worker."""
    _, served = edge
    for headers in ({}, FORGED, {"X-Edge-Key": ""}, {"X-Edge-Key": KEY[:-1]}):
        answer = httpx.get(f"{served.base_url}/v1/users/1", headers=headers, trust_env=False)
        assert answer.status_code == 403
    assert httpx.get(f"{served.base_url}/ready", headers={"X-Edge-Key": KEY}, trust_env=False).status_code == 200


def test_the_worker_passes_requests_and_answers_on(edge: tuple[httpx.Client, Served]) -> None:
    """Method, body, query, content and status; and a header that keeps the browser on HTTPS."""
    client, _ = edge
    made = client.post("/v1/users", json={"email": "ann@example.org"})
    assert made.status_code == 201, made.text
    found = client.get(f"/v1/users/{made.json()['id']}")
    assert found.json() == made.json()
    assert client.get("/v1/todos?unused=1").status_code == 422
    assert found.headers["strict-transport-security"] == "max-age=31536000"
    assert KEY not in str(found.headers)


def test_the_worker_shows_no_metrics(edge: tuple[httpx.Client, Served]) -> None:
    """However the path is written."""
    client, _ = edge
    for path in ("/metrics", "/metrics/", "//metrics", "/%6detrics", "/v1/../metrics", "/METRICS"):
        answer = client.get(path)
        assert (answer.status_code, "http_request" in answer.text) == (404, False), path
