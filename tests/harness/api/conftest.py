"""Apps of the tests' own under the run's uvicorn."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from harness.api.app_server import AppServer
from harness.api.client import Client
from harness.api.transport import JudgingTransport
from harness.databases.databases import Database
from harness.rules import judge
from harness.wire.observer import Observer
from tests.harness.api.faulty_app import Base, Start, add_items, make_app


@pytest.fixture
def faulty_app(wire: Observer, empty_database: Database, app_server: AppServer) -> Iterator[Start]:
    """Starts an app with the routes of this code, on a database with three items."""
    Base.metadata.create_all(empty_database.engine)
    with contextlib.ExitStack() as held:

        def start(code: str) -> Client:
            url = wire.dsn(empty_database.dsn).replace("postgresql://", "postgresql+psycopg://", 1)
            held.enter_context(app_server.run(make_app(url, code), "the faulty app"))
            judging = JudgingTransport(wire, app_server.inflight, {}, judge)
            client = held.enter_context(Client(app_server.base_url, empty_database, judging))
            add_items(client, 3)
            return client

        yield start
