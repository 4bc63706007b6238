"""The pool, when the database is not what it was."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import InternalError

from harness.postgres.databases import Database as Fresh
from sealy.db.engine import Database
from sealy.settings import Settings


def opened(fresh: Fresh) -> Database:
    """The app's pool on a database, by the app's role."""
    return Database(Settings(database_url=SecretStr(fresh.as_role("app").dsn), pool_size=2))


def test_a_database_without_migrations_is_not_ready(empty_database: Fresh) -> None:
    """The reason names what is looked for; it is no error of the process."""
    pool = opened(empty_database)
    assert "shows no revision" in (pool.why_not_ready() or "")
    pool.close()


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
    pool.close()
