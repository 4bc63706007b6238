"""An app with every fault that the rules are about: each is caught by an ordinary request, and named."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine, ForeignKey, create_engine, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

from harness.api import growth
from harness.api.app_server import AppServer
from harness.api.client import Client
from harness.api.rules import judge_pool
from harness.api.transport import BrokenPromiseError, JudgingTransport
from harness.databases.databases import Database
from harness.findings import Finding, Verdict
from harness.rules import judge
from harness.wire.observer import Observer


class Base(DeclarativeBase):
    """The faulty app's tables."""


class Owner(Base):
    """Whom an item belongs to."""

    __tablename__ = "owner"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Item(Base):
    """What is listed."""

    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey(Owner.id))
    owner: Mapped[Owner] = relationship()


def make_app(url: str, pool_size: int) -> FastAPI:
    """The clean routes `/list` and `/write`, and one route for each fault."""
    engine = create_engine(url, pool_size=pool_size, max_overflow=0)
    reads = engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> Any:
        with contextlib.ExitStack() as held:
            for _number in range(pool_size):
                held.enter_context(engine.connect())
        yield
        engine.dispose()

    app = FastAPI(lifespan=lifespan)
    _clean_routes(app, engine, reads)
    _costly_routes(app, url, reads)
    _held_routes(app, engine)
    return app


def _clean_routes(app: FastAPI, engine: Engine, reads: Engine) -> None:
    @app.get("/list")
    def clean_list() -> list[str]:
        query = select(Item).options(selectinload(Item.owner)).limit(20)
        with Session(reads) as session:
            return [item.owner.name for item in session.scalars(query)]

    @app.post("/write")
    def write() -> None:
        with Session(engine) as session, session.begin():
            session.add(Owner(name="new"))


def _costly_routes(app: FastAPI, url: str, reads: Engine) -> None:
    @app.get("/lazy")
    def lazy_loading() -> list[str]:
        with Session(reads) as session:
            return [item.owner.name for item in session.scalars(select(Item).limit(20))]

    @app.get("/loop")
    def query_in_a_loop() -> list[str]:
        with reads.connect() as connection:
            return [
                connection.execute(text("SELECT name FROM owner WHERE id = :id"), {"id": number}).scalar_one()
                for number in (1, 2, 3)
            ]

    @app.get("/ping")
    def ping_before_use() -> list[int]:
        with reads.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
            return list(connection.scalars(select(Item.id).limit(20)))

    @app.get("/connect")
    def connection_per_request() -> int | None:
        own = create_engine(url)
        with own.connect() as connection:
            found: int | None = connection.scalar(text("SELECT 1"))
        own.dispose()
        return found

    @app.get("/five")
    def five_queries() -> list[Any]:
        with reads.connect() as connection:
            return [connection.scalar(text(f"SELECT {column} FROM item LIMIT 1")) for column in ("id", "owner_id")] + [
                connection.scalar(text(f"SELECT {column} FROM owner LIMIT 1"))
                for column in ("id", "name", "name || ''")
            ]

    @app.get("/count")
    def count_beside_the_list() -> dict[str, Any]:
        with Session(reads) as session:
            total = session.scalar(select(func.count()).select_from(Item))
            return {"total": total, "items": list(session.scalars(select(Item.id).limit(20)))}

    @app.get("/unbounded")
    def unbounded_list() -> list[int]:
        with Session(reads) as session:
            return list(session.scalars(select(Item.id)))


def _held_routes(app: FastAPI, engine: Engine) -> None:
    def committing() -> Iterator[Session]:
        with Session(engine) as session:
            yield session
            session.commit()

    @app.post("/yield")
    def commit_in_a_yield_dependency(session: Session = Depends(committing)) -> None:  # noqa: B008 - FastAPI's way
        session.execute(text("INSERT INTO owner (name) VALUES ('late')"))

    @app.get("/stream")
    def session_across_the_response() -> StreamingResponse:
        def lines() -> Iterator[str]:
            with Session(engine) as session:
                for number in session.scalars(select(Item.id).limit(20)):
                    yield f"{number}\n"

        return StreamingResponse(lines())

    @app.post("/sleep")
    def sleep_in_a_transaction() -> None:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO owner (name) VALUES ('slow')"))
            time.sleep(1.2)

    leaked = []

    @app.get("/leak")
    def transaction_left_open() -> None:
        connection = engine.connect()
        connection.execute(text("SELECT 1"))
        leaked.append(connection)


Start = Callable[..., Client]


@pytest.fixture
def faulty_app(wire: Observer, empty_database: Database, app_server: AppServer) -> Iterator[Start]:
    """Starts the app, with `pool_size` connections, on a database with three items."""
    Base.metadata.create_all(empty_database.engine)
    with contextlib.ExitStack() as held:

        def start(pool_size: int = 3) -> Client:
            url = wire.dsn(empty_database.dsn).replace("postgresql://", "postgresql+psycopg://", 1)
            held.enter_context(app_server.run(make_app(url, pool_size), "the faulty app"))
            transport = JudgingTransport(wire, app_server.inflight, {}, judge)
            client = held.enter_context(Client(app_server.base_url, empty_database, transport))
            add_items(client, 3)
            return client

        yield start


def add_items(client: Client, count: int) -> None:
    """Items, each with an owner of its own."""
    owners = client.seed("owner", [{"name": f"owner {number}"} for number in range(count)])
    client.seed("item", [{"owner_id": owner["id"]} for owner in owners])


def test_clean_routes_pass(faulty_app: Start) -> None:
    """Routes without a fault are left alone, and `last` tells what they cost."""
    client = faulty_app()
    client.post("/write").raise_for_status()
    assert (client.last.queries, client.last.trips) == (1, 3)
    client.get("/list").raise_for_status()
    assert (client.last.queries, client.last.trips, client.last.items) == (2, 2, 3)


@pytest.mark.parametrize(
    ("request_line", "rule", "word"),
    [
        ("GET /lazy", "query-loop", r"3 times.* owner .*\n(.*\n)*.*selectinload"),
        ("GET /loop", "query-loop", "select name from owner where id = ?"),
        ("GET /ping", "ping-before-use", "1 round trips, .*SELECT 1"),
        ("GET /connect", "connection-per-request", "1 connections opened, 0 allowed"),
        ("GET /five", "query-budget", "5 queries, the budget is 3"),
        ("GET /count", "count-in-list", "select count"),
        ("POST /yield", "work-after-answer", "COMMIT"),
        ("GET /stream", "work-after-answer", "SELECT item.id"),
        ("POST /sleep", "idle-in-transaction", "INSERT INTO owner"),
    ],
)
def test_a_fault_is_caught_by_its_request(faulty_app: Start, request_line: str, rule: str, word: str) -> None:
    """The request itself fails, with the rule, the route and what was seen."""
    with pytest.raises(BrokenPromiseError, match=word.replace("?", r"\?")) as caught:
        faulty_app().request(*request_line.split())
    assert f"{rule}: {request_line}" in str(caught.value)


def test_a_transaction_left_open_is_named(faulty_app: Start, wire: Observer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What never comes to rest is told with its last statement."""
    settle = wire.settle
    monkeypatch.setattr(wire, "settle", lambda: settle(0.2))
    with pytest.raises(BrokenPromiseError, match=r"transaction-left-open: GET /leak\n.*SELECT 1"):
        faulty_app().get("/leak")


def test_requests_after_a_fault_are_not_judged(faulty_app: Start, wire: Observer, empty_database: Database) -> None:
    """Connections that the server has ended are opened again: that is the fault's cost, and no one's mistake."""
    client = faulty_app()
    with empty_database.as_role("superuser").connect(autocommit=True) as operator:
        operator.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
    assert client.get("/list").status_code == 500
    client.get("/list").raise_for_status()
    assert client.last.connections == 1


@pytest.mark.parametrize(("route", "rules"), [("/list", set()), ("/unbounded", {"unbounded-list"})])
def test_a_list_is_judged_by_its_growth(faulty_app: Start, route: str, rules: set[str]) -> None:
    """Ten and a hundred rows: a list with a limit passes, one without does not."""
    client, measured = faulty_app(), {}
    for size, more in ((10, 7), (100, 90)):
        add_items(client, more)
        client.get(route)
        measured[size] = client.last
    assert {finding.rule.id for finding in growth.judge(measured)} == rules


def test_lazy_loading_grows(faulty_app: Start, wire: Observer) -> None:
    """Where a budget is raised, growth still tells a loop from a fixed number of queries."""
    client, measured = faulty_app(), {}
    verdict = client.transport.verdict
    client.transport.verdict = lambda _: Verdict()
    for size, more in ((10, 7), (100, 90)):
        add_items(client, more)
        client.get("/lazy")
        measured[size] = client.last
    client.transport.verdict = verdict
    (finding,) = growth.judge(measured)
    assert "11 queries with 10, 21 queries with 100 rows" in finding.message


@pytest.mark.parametrize(("size", "rules"), [(1, {"pool-too-small"}), (5, set())])
def test_a_pool_of_one_is_named_under_twenty_clients(
    faulty_app: Start, wire: Observer, size: int, rules: set[str]
) -> None:
    """Twenty clients at once and one connection at work: the pool is too small."""
    client = faulty_app(size)
    client.get("/list")
    with wire.slow(0.01), wire.recording() as seen, ThreadPoolExecutor(20) as clients:
        answers = list(clients.map(lambda _: client.get("/list").status_code, range(60)))
    found: list[Finding] = judge_pool(seen, 20)
    assert set(answers) == {200}
    assert {finding.rule.id for finding in found} == rules
