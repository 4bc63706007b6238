"""Schema tests cannot write, for two reasons that are each tested."""

from __future__ import annotations

import psycopg
import pytest

from harness.catalog import Snapshot, prove_read_only, read_only
from harness.databases.databases import Database

WRITES = (
    "INSERT INTO {table} DEFAULT VALUES",
    "UPDATE {table} SET {column} = {column}",
    "DELETE FROM {table}",
    "TRUNCATE {table} CASCADE",
    "CREATE TABLE public.planted (id bigint)",
    "ALTER TABLE {table} ADD COLUMN planted int",
    "DROP TABLE {table} CASCADE",
    "CREATE INDEX planted ON {table} ({column})",
)


@pytest.fixture(params=WRITES)
def write(request: pytest.FixtureRequest, catalog: Snapshot) -> bytes:
    """A statement that changes the first table of the project, or makes another."""
    table = catalog.roots[0]
    column = next(item for item in table.columns if not item.identity)
    statement: str = request.param.format(table=f'"{table.schema}"."{table.name}"', column=f'"{column.name}"')
    return statement.encode()


def test_the_reading_role_has_no_right_to_write(database: Database, write: bytes) -> None:
    """Refused with 42501 even when the test asks for a transaction that writes."""
    with database.connect(autocommit=True) as connection:
        connection.read_only = False
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(write)


def test_the_reading_transaction_takes_no_write(database: Database, write: bytes) -> None:
    """Refused with 25006 even for the owner of everything."""
    refused = pytest.raises(psycopg.errors.ReadOnlySqlTransaction)
    with database.as_role("migrator").connect() as connection, read_only(connection) as cursor, refused:
        cursor.execute(write)


def test_the_reading_transaction_cannot_be_opened_for_writing(database: Database) -> None:
    """After its first query a READ ONLY transaction stays one: 25001."""
    refused = pytest.raises(psycopg.errors.ActiveSqlTransaction)
    with database.as_role("migrator").connect() as connection, read_only(connection) as cursor, refused:
        cursor.execute("SET TRANSACTION READ WRITE")


def test_reading_is_given_no_transaction_id(database: Database, catalog: Snapshot) -> None:
    """Nothing was written: the server never gave the transaction a number."""
    table = catalog.roots[0]
    with database.as_role("migrator").connect() as connection:
        prove_read_only(connection)
        with read_only(connection) as cursor:
            cursor.execute(f'SELECT count(*) FROM "{table.schema}"."{table.name}"'.encode())
            assigned = cursor.execute("SELECT pg_current_xact_id_if_assigned()").fetchone()
    assert assigned == (None,)
