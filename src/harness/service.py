"""The real app under uvicorn on a loopback port, and a client for it that sees HTTP and nothing else."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import uvicorn
from psycopg import sql
from psycopg.rows import dict_row

from harness.config import Config, HarnessError, load_object
from harness.postgres.databases import Database
from harness.postgres.server import Cluster


class Client(httpx.Client):
    """An HTTP client of the app. `seed` and `rows` are its operator's side: they go past the app, as an operator would.

    `server` is the app's Postgres, for tests that stop and start it; they are marked `own_cluster`.
    """

    def __init__(self, base_url: str, database: Database, server: Cluster | None = None) -> None:
        super().__init__(base_url=base_url, timeout=30)
        self._operator = database.as_role("migrator")
        self._server = server

    @property
    def server(self) -> Cluster:
        """The cluster that this app alone uses.

        Raises:
            HarnessError: in a test without the marker `own_cluster`.
        """
        if self._server is None:
            raise HarnessError(
                "api.server is the run's shared cluster here: mark the test with own_cluster to stop it."
            )
        return self._server

    def seed(self, table: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Insert rows, all with the same columns; returns them with what the database added."""
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
        """Every row of a table, by its first column."""
        statement = sql.SQL("SELECT * FROM {} ORDER BY 1").format(sql.Identifier(*table.split(".")))
        with self._operator.connect(row_factory=dict_row) as connection:
            return connection.execute(statement).fetchall()


@contextlib.contextmanager
def serve(config: Config, database_url: str) -> Iterator[str]:
    """Run the project's app on `database_url` in a thread of this process; yields its base URL once it has started.

    Raises:
        HarnessError: when the app does not start within 30 seconds.
    """
    settings = load_object(config.settings)(database_url=database_url)
    app = load_object(config.app)(settings)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="uvicorn", daemon=True)
        thread.start()
        try:
            _wait(server, thread, config.app)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=30)


def _wait(server: uvicorn.Server, thread: threading.Thread, name: str) -> None:
    """Wait until uvicorn accepts requests."""
    deadline = time.monotonic() + 30
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise HarnessError(f"{name} did not start under uvicorn; its log is in the test's captured output.")
        time.sleep(0.002)
