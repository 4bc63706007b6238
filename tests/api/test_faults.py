"""The database fails in every way that it can: what the client sees then, and what is in the database afterwards."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from harness.api.app_process import AppProcess
from harness.api.client import Client
from harness.wire.faults import FaultKind
from harness.wire.observer import Observer
from tests.api.examples import EXAMPLES, todo

pytestmark = pytest.mark.api

WRITES = [route for route in EXAMPLES if not route.startswith("GET ")]
TOUCHING = [route for route in EXAMPLES if route != "GET /health"]
NEW = {"email": "lost@example.org"}


def assert_repeatable(answer: httpx.Response) -> None:
    """A 503 that says what it is and when to come again."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(("harm", "kept"), [("lose request", 0), ("lose answer", 1)])
def test_a_commit_that_is_lost_is_never_a_success(api: Client, wire: Observer, harm: FaultKind, kept: int) -> None:
    """Nobody reads 201 for a row that may be absent: 503, whether the server had committed or not."""
    with wire.fault("^COMMIT", harm) as fault:
        assert_repeatable(api.post("/v1/users", json=NEW))
    assert fault.met
    assert len(api.rows("users")) == kept
    assert api.post("/v1/users", json=NEW).status_code == (409 if kept else 201)


@pytest.mark.parametrize("route", WRITES)
def test_no_write_succeeds_without_its_commit(api: Client, wire: Observer, route: str) -> None:
    """Whatever is written: a connection lost before COMMIT leaves everything as it was, and the client a 503."""
    request = EXAMPLES[route](api)
    before = [api.rows(table) for table in ("users", "todos", "tags", "todo_tags")]
    with wire.fault("^COMMIT", "lose request"):
        assert_repeatable(api.send(request))
    assert [api.rows(table) for table in ("users", "todos", "tags", "todo_tags")] == before


@pytest.mark.parametrize("route", TOUCHING)
def test_a_reset_in_a_query_costs_one_answer(api: Client, wire: Observer, route: str) -> None:
    """The request that loses its connection gets a 503 that says to try again; the next one is served."""
    first, second = EXAMPLES[route](api), EXAMPLES[route](api)
    with wire.fault(".", "reset"):
        answer = api.send(first)
    if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):  # it has begun before its queries
        assert_repeatable(answer)
    assert api.send(second).is_success


def test_a_refusing_database_is_an_answer_at_once(api: Client, wire: Observer) -> None:
    """No connection and nobody to connect to: 503 now, and 200 as soon as the database is back."""
    api.get("/v1/todos")
    with wire.refusing():
        wire.drop()
        for _ in range(10):
            assert_repeatable(api.get("/v1/todos"))
        assert [api.get("/health").status_code, api.get("/ready").status_code] == [200, 503]
    assert [api.get(path).status_code for path in ("/ready", "/v1/todos")] == [200, 200]


def test_a_failover_costs_no_more_than_one_error(api: Client, wire: Observer) -> None:
    """All connections of the pool die at once: the first request finds out, and the others get new ones."""
    api.get("/v1/todos")
    assert wire.drop() > 1
    statuses = [api.get("/v1/todos").status_code for _ in range(20)]
    assert statuses.count(503) <= 1
    assert set(statuses[1:]) == {200}


@pytest.mark.slow
def test_a_stalled_statement_ends_within_its_limit(api: Client) -> None:
    """A row that somebody has locked: 503 within the limits of the app's role, and others are served meanwhile."""
    number = todo(api)
    with api.operator() as operator, ThreadPoolExecutor(1) as clients:
        operator.execute("SELECT 1 FROM todos FOR UPDATE")
        answer = clients.submit(api.patch, f"/v1/todos/{number}", json={"done": True})
        assert api.get(f"/v1/todos/{number}").status_code == 200
        assert_repeatable(answer.result(timeout=60))
    assert [row["done"] for row in api.rows("todos")] == [False]


@pytest.mark.slow
def test_a_network_that_moves_nothing_is_not_waited_for(api: Client, wire: Observer) -> None:
    """Nothing reaches the server, whose limits know nothing of it: the app gives up by itself, and serves the next."""
    with wire.fault("FROM todos", "stall") as fault:
        assert_repeatable(api.get("/v1/todos", timeout=60))
    assert fault.met
    assert api.get("/v1/todos").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("route", WRITES[:1])
def test_a_commit_that_does_not_move_is_not_waited_for(api: Client, wire: Observer, route: str) -> None:
    """Its outcome is unknown, so it is no success."""
    request = EXAMPLES[route](api)
    request.extensions["timeout"] = httpx.Timeout(60).as_dict()
    with wire.fault("^COMMIT", "stall") as fault:
        assert_repeatable(api.send(request))
    assert fault.met


@pytest.mark.parametrize(
    "sqlstate",
    ["40001", "40P01", "55P03", "57014"],
    ids=["serialization failure", "deadlock", "lock timeout", "statement timeout"],
)
def test_a_transaction_that_loses_may_be_repeated(api: Client, sqlstate: str) -> None:
    """What the server gives up on is retried by the app or answered with 503; the repetition succeeds."""
    with api.operator() as operator:
        operator.execute(
            f"""
            CREATE SEQUENCE attempts;
            CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                IF nextval('attempts') = 1 THEN RAISE EXCEPTION USING ERRCODE = '{sqlstate}'; END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER lose BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION lose();
            """
        )
    answer = api.post("/v1/users", json=NEW)
    if answer.status_code != 201:
        assert_repeatable(answer)
        assert api.rows("users") == []
        assert api.post("/v1/users", json=NEW).status_code == 201
    assert len(api.rows("users")) == 1


def test_a_process_answers_before_it_ends(api: Client, wire: Observer, app_process: AppProcess) -> None:
    """SIGTERM with requests in flight: all are answered, and the process ends cleanly."""
    with api.at(app_process.base_url) as client, ThreadPoolExecutor(4) as clients:
        with wire.fault("FROM todos", "stall", times=4) as fault:
            answers = [clients.submit(client.get, "/v1/todos") for _ in range(4)]
            assert fault.reached(4)
            app_process.terminate()
            assert app_process.wrote("Shutting down")
        assert [answer.result().status_code for answer in answers] == [200] * 4
    # At the very end uvicorn sends itself the signal that it got: it dies of it, or as process 1 exits with 0.
    assert app_process.wait(60) in (0, -signal.SIGTERM), app_process.output
    assert "Finished server process" in app_process.output
