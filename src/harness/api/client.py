"""The HTTP client of an API test."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from harness.api.bodies import STREAMED
from harness.api.exchange import Exchange
from harness.api.transport import JudgingTransport
from harness.databases.databases import Database
from harness.errors import HarnessError
from harness.postgres.server import Cluster
from harness.wire.observer import Observer


class Client(httpx.Client):
    """An HTTP client of the app; `seed`, `rows` and `operator` go past the app, as an operator would.

    `transport` judges each request. `server` is the app's Postgres, for tests marked `own_cluster`, which stop it.
    """

    def __init__(
        self, base_url: str, database: Database, transport: JudgingTransport, server: Cluster | None = None
    ) -> None:
        super().__init__(base_url=base_url, timeout=30, transport=transport, trust_env=False)
        self.transport = transport
        self._operator = database.as_role("migrator")
        self._server = server
        transport.warm_up(self.base_url)

    def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        """Send a request; with `stream`, as in `api.stream(…)`, the test reads the body, and the judgement waits."""
        request.extensions = {**request.extensions, STREAMED: stream}
        return super().send(request, stream=stream, **options)

    @property
    def wire(self) -> Observer:
        """The observer between the app and its database."""
        return self.transport.wire

    @property
    def last(self) -> Exchange:
        """The last request, and what it did on the wire.

        Raises:
            HarnessError: before the first request.
        """
        if self.transport.last is None:
            raise HarnessError("api.last is the last request, and this test has made none", remedy="make one before")
        return self.transport.last

    @property
    def app_dsn(self) -> str:
        """The app's DSN, through the observer and as its own role: for another process of the app."""
        return self.wire.dsn(self._operator.as_role("app").dsn)

    @property
    def server(self) -> Cluster:
        """The cluster that this app alone uses.

        Raises:
            HarnessError: in a test without the marker `own_cluster`.
        """
        if self._server is None:
            raise HarnessError(
                "api.server is shared with the other tests of this run",
                remedy="mark a test that stops it: @pytest.mark.own_cluster",
            )
        return self._server

    @contextlib.contextmanager
    def operator(self) -> Iterator[psycopg.Connection]:
        """Connect past the app as the tables' owner, such as to hold a lock; commit at the end of the block."""
        with self._operator.connect() as connection:
            yield connection

    def seed(self, table: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Insert rows, all with the same columns, and return them with the columns that the database filled."""
        if not rows:
            return []
        columns = list(rows[0])
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING *").format(
            sql.Identifier(*table.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(map(sql.Placeholder, columns)),
        )
        with self._operator.connect(row_factory=dict_row) as connection, connection.cursor() as cursor:
            cursor.executemany(statement, rows, returning=True)
            return [row for result in cursor.results() for row in result.fetchall()]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return all rows of a table, ordered by its first column."""
        statement = sql.SQL("SELECT * FROM {} ORDER BY 1").format(sql.Identifier(*table.split(".")))
        with self._operator.connect(row_factory=dict_row) as connection:
            return connection.execute(statement).fetchall()
