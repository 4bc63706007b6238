"""An empty database in which tables are made and filled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness import seed

if TYPE_CHECKING:
    from harness.databases.databases import Database


@dataclass
class SeedDatabase:
    """A database with the tables of one test."""

    connection: psycopg.Connection[Any]

    @property
    def major(self) -> int:
        """The server's major version."""
        return self.connection.info.server_version // 10000

    def run(self, statements: str) -> None:
        """Run SQL."""
        self.connection.execute(statements.encode())

    def fill(self, rows: int = 30, **options: Any) -> dict[str, int]:
        """Fill the tables."""
        return seed.fill(self.connection, rows, **options)

    def column(self, query: str) -> list[Any]:
        """The first column of a query's rows."""
        return [row[0] for row in self.connection.execute(query.encode()).fetchall()]

    def value(self, query: str) -> Any:
        """The first value of a query."""
        return self.column(query)[0]

    def digest(self) -> list[str]:
        """One line a table that changes with any of its values."""
        tables = self.column(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace ="
            " 'public'::regnamespace"
            " ORDER BY 1"
        )
        return [
            self.value(f"SELECT '{name} ' || md5(string_agg(t::text, '' ORDER BY t::text)) FROM {name} t")
            for name in tables
        ]


@pytest.fixture
def db(empty_database: Database) -> Iterator[SeedDatabase]:
    """An empty database, as the superuser."""
    with empty_database.as_role("superuser").connect(autocommit=True) as connection:
        yield SeedDatabase(connection)
