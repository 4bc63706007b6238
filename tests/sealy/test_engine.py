"""The pool, when the database is not what it was."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import event, text
from sqlalchemy.exc import InternalError

from harness.databases.databases import Database as Fresh
from sealy.db.engine import Database
from sealy.runtime.observe import Observe, Observed
from sealy.settings import Settings
from tests.sealy.asgi import SETTINGS, ask, scope


def opened(fresh: Fresh) -> Database:
    """The app's pool on a database, by the app's role."""
    return Database(Settings(database_url=SecretStr(fresh.as_role("app").dsn), pool_size=2, prepare=True))


def test_a_database_without_migrations_is_not_ready(empty_database: Fresh) -> None:
    """The reason names what is looked for; it is no error of the process."""
    pool = opened(empty_database)
    assert "cannot read alembic_version" in (pool.why_not_ready() or "")
    pool.writes.dispose()


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ("SELECT 1", None),
        (
            "PREPARE _pg3_0 AS SELECT 1",
            "a pooler in front of the database loses prepared statements: set APP_PREPARE=false",
        ),
    ],
    ids=["each session is new", "a session of another client"],
)
def test_behind_a_pooler_prepared_statements_are_tried(
    database: Fresh, monkeypatch: pytest.MonkeyPatch, first: str, reason: str | None
) -> None:
    """A pooler announces a process id that is not the server's, and may lend the session of another client."""
    pool = opened(database)
    monkeypatch.setattr(psycopg.ConnectionInfo, "backend_pid", 0)
    event.listen(pool.reads, "connect", lambda connection, _: connection.execute(first))
    assert [pool.why_not_ready() for _ in range(2)] == [reason, reason]
    pool.writes.dispose()


def test_a_primary_that_became_a_standby_loses_its_connections(database: Fresh) -> None:
    """A write that is refused as read-only ends the pool's connections: the next ones reach the present primary."""
    pool = opened(database)
    assert pool.why_not_ready() is None
    with pool.writes.connect() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        with pytest.raises(InternalError) as refused:
            connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
    assert refused.value.connection_invalidated
    assert pool.why_not_ready() is None
    pool.writes.dispose()


def test_a_statement_for_many_values_is_one_and_says_its_route(database: Fresh) -> None:
    """The log, the metrics and pg_stat_statements see what a driver's executemany sends, as they see the rest."""
    pool = opened(database)
    assert pool.why_not_ready() is None
    noted: list[Observed] = []
    sent: list[tuple[str]] = []

    async def route(request: Any, _receive: Any, send: Any) -> None:
        with pool.writes.connect() as connection:
            connection.exec_driver_sql("SELECT set_config(%s, %s, true)", [("todo.limit", "1"), ("todo.limit", "2")])
            pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]  # it is open
            with database.as_role("superuser").connect() as onlooker:
                sent.extend(onlooker.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [pid]).fetchall())
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    ask(Observe(route, [], [noted.append], SETTINGS), scope("GET", "/v1/limits"))
    assert [request.queries for request in noted] == [1]
    assert sent == [("SELECT set_config($1, $2, true) /* GET <none> */",)]
    pool.writes.dispose()
