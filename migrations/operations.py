"""Operations that do not stop production, on Alembic's `op`; env.py loads this file, revisions only use `op`.

Each runs outside a transaction, statement by statement, so each may be repeated after a run that was interrupted.
Source of the steps: the PostgreSQL manual, CREATE INDEX ("Building Indexes Concurrently") and ALTER TABLE ("Notes").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, Operations


class SafeOperation(MigrateOperation):
    """The functions that `op` gains; `operations` is what Alembic passes, a revision leaves it out."""

    @classmethod
    def create_index_concurrently(
        cls, operations: Operations, name: str, table: str, columns: list[str], unique: bool = False
    ) -> None:
        """Build an index while the table is written to.

        An INVALID index of that name, left by a build that failed, is dropped first; a valid one on the same table was
        built by a run that was interrupted later, and stays. The build waits for every older snapshot of the database,
        so no timeout applies to it: a short one would leave an INVALID index.

        Raises:
            RuntimeError: when the index is not valid afterwards.
        """
        with _outside_transaction(operations), _timeouts(operations, lock_timeout="0", statement_timeout="0"):
            if _index_is_valid(operations, name, table) is False:
                operations.drop_index(name, table_name=table, postgresql_concurrently=True)
            if _index_is_valid(operations, name, table) is None:
                operations.create_index(name, table, columns, unique=unique, postgresql_concurrently=True)
            if not _index_is_valid(operations, name, table):
                raise RuntimeError(f"index {name} on {table} is INVALID after its build: run the migration again")

    @classmethod
    def drop_index_concurrently(cls, operations: Operations, name: str, table: str) -> None:
        """Drop an index while the table is written to; one that is already gone is no error."""
        with _outside_transaction(operations), _timeouts(operations, lock_timeout="0", statement_timeout="0"):
            operations.drop_index(name, table_name=table, postgresql_concurrently=True, if_exists=True)

    @classmethod
    def add_not_null(cls, operations: Operations, table: str, column: str) -> None:
        """Make a column NOT NULL without reading the table under an exclusive lock.

        A CHECK that is NOT VALID refuses new NULLs at once, VALIDATE reads the rows while they are written to, and SET
        NOT NULL then trusts the validated CHECK instead of reading (PostgreSQL 12 and newer).
        """
        check = f"ck_{table}_{column}_not_null"
        quoted = _quote(operations, column)
        with _outside_transaction(operations):
            _add_valid_check(operations, table, check, f"{quoted} IS NOT NULL")
            operations.execute(f"ALTER TABLE {_quote(operations, table)} ALTER COLUMN {quoted} SET NOT NULL")
            operations.execute(f"ALTER TABLE {_quote(operations, table)} DROP CONSTRAINT {_quote(operations, check)}")

    @classmethod
    def replace_check(cls, operations: Operations, table: str, name: str, condition: str) -> None:
        """Give the CHECK `name` another condition without a moment in which neither holds.

        Raises:
            sqlalchemy.exc.IntegrityError: when a row breaks the condition; the table then stands as before.
        """
        following = f"{name}_next"
        with _outside_transaction(operations):
            _add_valid_check(operations, table, following, condition)
        quoted = _quote(operations, table)
        operations.execute(f"ALTER TABLE {quoted} DROP CONSTRAINT IF EXISTS {_quote(operations, name)}")
        names = f"{_quote(operations, following)} TO {_quote(operations, name)}"
        operations.execute(f"ALTER TABLE {quoted} RENAME CONSTRAINT {names}")

    @classmethod
    def update_in_batches(cls, operations: Operations, table: str, statement: str, size: int = 1000) -> None:
        """Run an UPDATE or DELETE once for every `size` rows of the table, each time in its own transaction.

        `statement` takes the rows whose id is above `:after` and up to `:last`; it must be right to repeat it.
        """
        rows = sa.table(table, sa.column("id", sa.BigInteger))
        following = sa.select(rows.c.id).where(rows.c.id > sa.bindparam("after")).order_by(rows.c.id).limit(size)
        end_of_batch = sa.select(sa.func.max(following.subquery().c.id))
        after = -(2**63)
        with _outside_transaction(operations):
            bind = operations.get_bind()
            while (last := bind.scalar(end_of_batch, {"after": after})) is not None:
                bind.execute(sa.text(statement), {"after": after, "last": last})
                after = last


for function in (
    "create_index_concurrently",
    "drop_index_concurrently",
    "add_not_null",
    "replace_check",
    "update_in_batches",
):
    Operations.register_operation(function)(SafeOperation)


def _add_valid_check(operations: Operations, table: str, name: str, condition: str) -> None:
    """Add a CHECK in two steps; when a row breaks it, take it away again and raise."""
    alter = f"ALTER TABLE {_quote(operations, table)}"
    check = _quote(operations, name)
    operations.execute(
        f"{alter} DROP CONSTRAINT IF EXISTS {check}, ADD CONSTRAINT {check} CHECK ({condition}) NOT VALID"
    )
    try:
        with _timeouts(operations, statement_timeout="0"):
            operations.execute(f"{alter} VALIDATE CONSTRAINT {check}")
    except sa.exc.DBAPIError:
        operations.execute(f"{alter} DROP CONSTRAINT {check}")
        raise


def _index_is_valid(operations: Operations, name: str, table: str) -> bool | None:
    """Whether the index of that name on that table is valid; None when there is none."""
    query = sa.text(
        "SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE c.relname = :name AND i.indrelid = to_regclass(:table)"
    )
    found: bool | None = operations.get_bind().scalar(query, {"name": name, "table": _quote(operations, table)})
    return found


@contextmanager
def _outside_transaction(operations: Operations) -> Iterator[None]:
    """Alembic's autocommit block, opened here unless the revision has already opened one: they do not nest."""
    options = operations.get_bind().get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        yield
    else:
        with operations.get_context().autocommit_block():
            yield


@contextmanager
def _timeouts(operations: Operations, **timeouts: str) -> Iterator[None]:
    """Other session timeouts inside the block, the former ones after it."""
    read = sa.text("SELECT current_setting(:name)")
    write = sa.text("SELECT set_config(:name, :value, false)")
    bind = operations.get_bind()
    before: dict[str, Any] = {name: bind.scalar(read, {"name": name}) for name in timeouts}
    for name, value in timeouts.items():
        bind.execute(write, {"name": name, "value": value})
    try:
        yield
    finally:
        for name, value in before.items():
            bind.execute(write, {"name": name, "value": value})


def _quote(operations: Operations, name: str) -> str:
    """Quote an identifier where it needs quotes.

    Raises:
        ValueError: when Postgres would cut it at 63 bytes.
    """
    if len(name.encode()) > 63:
        raise ValueError(f"{name} is longer than 63 bytes: Postgres would cut it")
    return operations.get_bind().dialect.identifier_preparer.quote(name)
