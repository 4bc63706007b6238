"""Models compared with migrations, object by object, in both directions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import psycopg
import sqlalchemy as sa

from harness.catalog import Change, Snapshot, difference, read_snapshot
from harness.errors import HarnessError
from harness.rules import Breach, rule
from harness.schema.alembic_code import fix, model_index
from harness.schema.drift.drift_fix import TABLES, DriftFix, placed
from harness.sql.quoting import identifier


def declared(metadata: sa.MetaData, engine: sa.Engine, extensions: Iterable[str] = ()) -> Snapshot:
    """Make what `metadata` declares in the empty database behind `engine`, and read it.

    `extensions` are installed first and schemas made, since models have no word for either.

    Raises:
        HarnessError: when the server refuses what the models declare.
    """
    schemas = {table.schema for table in metadata.tables.values() if table.schema}
    try:
        with engine.begin() as connection:
            for name in sorted(schemas):
                connection.execute(sa.schema.CreateSchema(name, if_not_exists=True))
            for name in extensions:
                connection.exec_driver_sql(f"CREATE EXTENSION IF NOT EXISTS {identifier(name)}")
            metadata.create_all(connection)
    except sa.exc.DBAPIError as error:
        raise HarnessError(
            f"the models cannot be made in an empty database: {error.orig}", remedy="correct the models"
        ) from error
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        if not isinstance(driver, psycopg.Connection):
            raise HarnessError(f"the engine of {engine.url!r} is not psycopg's", remedy="use postgresql+psycopg://")
        return read_snapshot(driver)


@rule("schema-drift", "error", "Models and migrations make the same schema")
def schema_drift(metadata: sa.MetaData, models: Snapshot, migrated: Snapshot) -> Iterator[Breach]:
    """Find objects and attributes that create_all() and `upgrade head` make differently.

    The object of a finding, and of an exemption, is `kind name` or `kind name attribute`, such as
    `function public.touch()` or `column public.todos.title type`.

    Why: code is written for the models and runs on what the migrations made, so every difference fails in production
    Fix: write the missing revision, or declare the object (what has no class, in an event on the metadata)
    """
    closing = DriftFix(migrated, models, metadata)
    for change in difference(migrated, models):
        yield _breach(change, closing)


def _breach(change: Change, closing: DriftFix) -> Breach:
    """Return a change with the operation that closes it."""
    place = f"{change.kind} {change.name} {change.attribute}".rstrip()
    operation = closing.operation(change)
    if change.attribute:
        message = f"{change.after!r} in the models, {change.before!r} after the migrations"
        model = f"or declare {change.before!r}"
    elif change.before is None:
        message = f"the models declare it, the migrations do not make it: {change.after}"
        model = "or take it out of the models"
    else:
        message = f"the migrations make it, the models do not declare it: {change.before}"
        model = _declaration(change, closing.migrated)
    return Breach(place, message, fix(operation, model))


def _declaration(change: Change, migrated: Snapshot) -> str:
    """Say how the models declare what only the migrations make."""
    table, part = placed(migrated, change.name)
    index = next((item for item in table.indexes if item.name == part), None) if table else None
    if table and index and change.kind == "index":
        return f"or {model_index(table, index)} in __table_args__"
    if change.kind in (*TABLES, "column", "constraint", "not null"):
        return "or declare it"
    return "or declare it in an event, as it has no class: event.listen(metadata, 'after_create', DDL(...))"
