"""What `nox -s revision` writes: a number as the id, types without the app's code, and enum types made and dropped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import sqlalchemy as sa
from alembic.autogenerate import render
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from alembic.operations import MigrationScript, ops
from sqlalchemy.dialects import postgresql

Enums = dict[tuple[str, str], postgresql.ENUM]
"""Enum types by schema and name."""


def complete(context: MigrationContext, _revision: Any, directives: list[MigrationScript]) -> None:
    """Number a revision, and let it create the enum types that it needs and drop those that nothing needs any more."""
    for directive in directives:
        directive.rev_id = _next_number(context)
        if context.connection and directive.upgrade_ops and directive.downgrade_ops:
            _create_and_drop(context, context.connection, directive.upgrade_ops, directive.downgrade_ops)


def render_type(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Write a type as the database has it, and import the module of one that SQLAlchemy does not have.

    The class of a TypeDecorator is the app's, and will change after the revision. An enum type has its own
    statement, because a table that is dropped leaves it behind.
    """
    if kind != "type":
        return False
    if isinstance(item, sa.TypeDecorator):
        return render._repr_type(_stored(item), context)
    if isinstance(item, sa.Enum) and _is_type(item):
        context.imports.add("from sqlalchemy.dialects import postgresql")
        arguments = [
            *map(repr, item.enums),
            f"name={item.name!r}",
            *([f"schema={item.schema!r}"] if item.schema else []),
        ]
        return f"postgresql.ENUM({', '.join(arguments)}, create_type=False)"
    if not type(item).__module__.startswith("sqlalchemy."):
        context.imports.add(f"import {type(item).__module__}")
    return False


def _next_number(context: MigrationContext) -> str:
    """Return the number after the highest; a branch that takes the same one conflicts with this in head.py."""
    assert context.environment_context
    names = [script.revision for script in context.environment_context.script.walk_revisions()]
    return f"{max((int(name) for name in names if name.isdecimal()), default=0) + 1:04}"


def _stored(item: sa.TypeDecorator[Any]) -> Any:
    """Return the type that PostgreSQL stores for a TypeDecorator, as a public class of SQLAlchemy."""
    found = item.load_dialect_impl(postgresql.dialect())
    public = next(each for each in type(found).__mro__ if not each.__name__.startswith("_"))
    return found if public is type(found) else found.adapt(public)


def _is_type(item: sa.Enum) -> bool:
    """Return whether an enum is a type in the database, which revisions create."""
    return bool(item.native_enum and item.name) and getattr(item, "create_type", True)


def _create_and_drop(
    context: MigrationContext, connection: sa.Connection, upgrade: ops.UpgradeOps, downgrade: ops.DowngradeOps
) -> None:
    inspector = sa.inspect(connection)
    schema = inspector.default_schema_name or "public"
    existing = {(each["schema"], each["name"]) for each in inspector.get_enums("*")}
    metadata = context.opts["target_metadata"]
    models = _enums((column.type for table in metadata.tables.values() for column in table.columns), schema)
    made = {key: item for key, item in _enums(_types(upgrade), schema).items() if key not in existing}
    gone = {key: item for key, item in _enums(_types(downgrade), schema).items() if key not in models}
    for former, latter, enums in ((upgrade, downgrade, made), (downgrade, upgrade, gone)):
        former.ops[:0] = [_statement(postgresql.CreateEnumType(item)) for item in enums.values()]
        latter.ops.extend(_statement(postgresql.DropEnumType(item)) for item in enums.values())


def _types(container: ops.OpContainer) -> Iterator[Any]:
    """Yield the types of the columns that operations make or change."""
    for operation in container.ops:
        if isinstance(operation, ops.OpContainer):
            yield from _types(operation)
        elif isinstance(operation, ops.CreateTableOp):
            yield from (column.type for column in operation.columns if isinstance(column, sa.Column))
        elif isinstance(operation, ops.AddColumnOp):
            yield operation.column.type
        elif isinstance(operation, ops.AlterColumnOp):
            yield operation.modify_type


def _enums(types: Iterable[Any], schema: str) -> Enums:
    """Return the enum types among column types, also those in arrays; `schema` is that of a type without one."""
    found: Enums = {}
    for item in types:
        stored = _stored(item) if isinstance(item, sa.TypeDecorator) else item
        inner = stored.item_type if isinstance(stored, sa.ARRAY) else stored
        inner = _stored(inner) if isinstance(inner, sa.TypeDecorator) else inner
        if isinstance(inner, sa.Enum) and _is_type(inner):
            found[inner.schema or schema, str(inner.name)] = postgresql.ENUM(
                *inner.enums, name=str(inner.name), schema=inner.schema
            )
    return found


def _statement(element: sa.schema.DDLElement) -> ops.ExecuteSQLOp:
    """Return a statement as an operation; a colon would begin a parameter there."""
    return ops.ExecuteSQLOp(str(element.compile(dialect=postgresql.dialect())).replace(":", r"\:"))
