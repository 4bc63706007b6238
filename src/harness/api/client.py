"""The HTTP client of an API test."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.cookiejar import Cookie, CookieJar
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

Login = Mapping[str, str] | Callable[["Client", str], Mapping[str, str] | None]
"""Headers of all requests, or a function that logs a client in as a user and returns the headers of later requests.

The function may send requests; the client keeps the cookies.
"""


class _Cookies(CookieJar):
    """Sends cookies for HTTPS back without TLS, as browsers do at a loopback address."""

    def set_cookie(self, cookie: Cookie) -> None:
        cookie.secure = False
        super().set_cookie(cookie)


class Client(httpx.Client):
    """An HTTP client of the app; `seed`, `rows` and `operator` go past the app, as an operator would.

    `transport` judges each request. `app` is the ASGI app, such as for FastAPI's `dependency_overrides`. `server` is
    the app's Postgres, for tests marked `own_cluster`, which stop it.
    """

    def __init__(
        self,
        base_url: str | httpx.URL,
        database: Database,
        transport: JudgingTransport,
        server: Cluster | None = None,
        *,
        app: Any = None,
        login: Login | None = None,
    ) -> None:
        super().__init__(base_url=base_url, timeout=30, transport=transport, trust_env=False, cookies=_Cookies())
        self.transport = transport
        self.app = app
        self._database = database
        self._operator = database.as_role("migrator")
        self._server = server
        self._login = login or {}
        self._users: dict[str | None, Client] = {}
        transport.warm_up(self.base_url)

    def as_user(self, user: str | None) -> Client:
        """Return a client that is logged in as another user, the same one each time; None: as nobody."""
        if user not in self._users:
            other = Client(self.base_url, self._database, self.transport, self._server, app=self.app, login=self._login)
            other._users = self._users
            if user is None:
                self._users[None] = other
            else:
                other.log_in(user)
        return self._users[user]

    def log_in(self, user: str) -> None:
        """Log in as a user, by the fixture `login`. Its requests are not judged.

        Raises:
            HarnessError: when the app refuses.
        """
        with self.transport.preparing():
            try:
                self.headers.update((self._login(self, user) if callable(self._login) else self._login) or {})
            except httpx.HTTPStatusError as error:
                answer = error.response
                raise HarnessError(
                    f"the fixture login could not log in {user!r}: {answer.status_code} for "
                    f"{answer.request.method} {answer.request.url.path}",
                    looked_at=f"the answer: {answer.text[:500]}",
                    remedy="correct login in tests/api/conftest.py; docs/api.md shows one",
                ) from error
        self._users[user] = self

    def at(self, base_url: str) -> httpx.Client:
        """Return a client of another process of the app, with the same headers and cookies; nothing judges it."""
        return httpx.Client(
            base_url=base_url, headers=self.headers, cookies=self.cookies, timeout=self.timeout, trust_env=False
        )

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
