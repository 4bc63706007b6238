"""Fixes for differences between what migrations make and what the models declare.

Where the metadata has the object, Alembic renders the operation as autogenerate would; for the rest the statement comes
from the snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa
from alembic.autogenerate import render_python_code
from alembic.migration import MigrationContext
from alembic.operations import ops

from harness.catalog import Change, Sequence, Snapshot, Table, Type
from harness.schema.alembic_code import outside
from harness.schema.drift import ddl
from harness.schema.drift.ddl import sql_kind
from harness.sql.operations import drop_index_concurrently, execute, op
from harness.sql.quoting import identifier, literal, qualified

TABLES = ("table", "partitioned table")
VIEWS = ("view", "materialized view")


@dataclass(frozen=True, slots=True)
class DriftFix:
    """Makes the operations that lead from `migrated` to `models`, which `metadata` declares."""

    migrated: Snapshot
    models: Snapshot
    metadata: sa.MetaData

    def operation(self, change: Change) -> str:
        """Return Python for the body of a revision's upgrade()."""
        if change.attribute:
            return self._altered(change)
        return self._created(change) if change.before is None else self._dropped(change)

    def _created(self, change: Change) -> str:
        """Create the object that only the models have."""
        table, part = placed(self.models, change.name)
        declared = self._declared(change, table, part)
        if isinstance(declared, ops.CreateIndexOp) and table and self._in_use(table):
            declared.kw["postgresql_concurrently"] = True
            return outside(drop_index_concurrently(table, part), _rendered(declared))
        if declared is not None and not isinstance(declared, ops.CreatePrimaryKeyOp):  # Alembic cannot render it
            return _rendered(declared)
        if table and change.kind == "policy":
            policy = next(item for item in table.policies if item.name == part)
            return execute(ddl.create_policy(table, policy))
        if table and change.kind == "constraint":
            return execute(f"ALTER TABLE {qualified(table)} ADD CONSTRAINT {identifier(part)} {change.after}")
        if change.kind == "type":
            return execute(ddl.create_type(_named(self.models.types, change)))
        if change.kind == "sequence":
            return execute(ddl.create_sequence(_named(self.models.sequences, change), self.models))
        if (change.after or "").startswith("CREATE"):
            return execute(change.after or "")
        query = f" AS {change.after}" if change.kind in VIEWS else ""
        return execute(f"CREATE {sql_kind(change.kind)} {ddl.name_of(change, self.models)}{query}")

    def _dropped(self, change: Change) -> str:
        """Drop the object that only the migrations make."""
        table, part = placed(self.migrated, change.name)
        if change.kind in TABLES:
            dropped = self.migrated.by_name[change.name]
            return op("drop_table", dropped.name, schema=dropped.schema)
        if table and change.kind in ("column", "constraint"):
            names = (table.name, part) if change.kind == "column" else (part, table.name)
            return op(f"drop_{change.kind}", *names, schema=table.schema)
        if table and change.kind == "index":
            if table.kind == "p":
                return op("drop_index", part, table.name, schema=table.schema)
            return outside(drop_index_concurrently(table, part))
        if table and change.kind in ("trigger", "policy", "rule"):
            return execute(f"DROP {sql_kind(change.kind)} {identifier(part)} ON {qualified(table)}")
        there = "IF EXISTS " if change.kind == "sequence" else ""  # it goes with the identity of its column
        return execute(f"DROP {sql_kind(change.kind)} {there}{ddl.name_of(change, self.migrated)}")

    def _altered(self, change: Change) -> str:
        """Set one attribute to what the models say."""
        table, part = placed(self.models, change.name)
        if change.kind in (*TABLES, *VIEWS):
            return execute(ddl.change_table(change, self.models.by_name[change.name]))
        if change.kind == "sequence":
            return execute(ddl.change_sequence(change, _named(self.models.sequences, change), self.models))
        if change.kind == "type" and change.attribute not in ("owner", "grants", "comment"):
            types = (_named(snapshot.types, change) for snapshot in (self.migrated, self.models))
            return execute(ddl.change_type(change.attribute, *types))
        if table and change.kind == "column":
            return self._column(change, table, part)
        if table and change.kind in ("constraint", "index", "trigger", "policy", "rule", "not null"):
            return self._part(change, table, part)
        return execute(_whole(change, ddl.name_of(change, self.models)))

    def _column(self, change: Change, table: Table, name: str) -> str:
        """Set an attribute of a column: by alter_column where it has an argument for it."""
        declared = self._column_declared(table, name)
        column = table.by_name[name]
        if declared is None or change.attribute in ("grants", "collation", "identity", "storage", "compression"):
            return execute(ddl.change_column(change, table, column))
        if change.attribute in ("computed", "generated"):
            drop = op("drop_column", table.name, name, schema=table.schema)
            return f"{drop}\n{_rendered(ops.AddColumnOp.from_column_and_tablename(table.schema, table.name, declared))}"
        altered = ops.AlterColumnOp(table.name, name, schema=None if table.schema == "public" else table.schema)
        match change.attribute:
            case "type":
                altered.modify_type = declared.type
            case "nullability":
                altered.modify_nullable = not column.not_null
            case "comment":
                altered.modify_comment = declared.comment
            case _:
                altered.modify_server_default = declared.server_default
        return _rendered(altered)

    def _part(self, change: Change, table: Table, name: str) -> str:
        """Set an attribute of a part of a table, which is dropped and created where it cannot be altered."""
        target = f"{identifier(name)} ON {qualified(table)}"
        if change.attribute == "comment":
            where = identifier(table.schema, name) if change.kind == "index" else target
            return execute(f"COMMENT ON {sql_kind(change.kind)} {where} IS {literal(change.after)}")
        if change.attribute == "enabled":
            how = f"{ddl.ENABLED[change.after or 'O']} {sql_kind(change.kind)} {identifier(name)}"
            return execute(f"ALTER TABLE {qualified(table)} {how}")
        if change.kind == "constraint" and change.before == f"{change.after} NOT VALID":
            return execute(f"ALTER TABLE {qualified(table)} VALIDATE CONSTRAINT {identifier(name)}")
        if change.kind == "index" and change.attribute == "flags":
            return execute(f"REINDEX INDEX {identifier(table.schema, name)}")
        gone = Change(change.kind, change.name, "", change.before, None)
        made = Change(change.kind, change.name, "", None, change.after)
        created = self._created(made)
        if created.startswith("with "):  # built CONCURRENTLY, it has dropped what had its name
            return created
        return f"{self._dropped(gone)}\n{created}"

    def _declared(self, change: Change, table: Table | None, part: str) -> ops.MigrateOperation | None:
        """Alembic's operation for an object that the metadata declares."""
        if change.kind in TABLES:
            found = self._table(change.name)
            return None if found is None else ops.CreateTableOp.from_table(found)
        declared = self._table(table.qualified) if table else None
        if table is None or declared is None:
            return None
        if change.kind == "column" and part in declared.columns:
            return ops.AddColumnOp.from_column_and_tablename(declared.schema, declared.name, declared.columns[part])
        if change.kind == "index":
            index = next((item for item in declared.indexes if item.name == part), None)
            return ops.CreateIndexOp.from_index(index) if index is not None else None
        constraint = next((item for item in declared.constraints if item.name == part), None)
        if change.kind != "constraint" or constraint is None:
            return None
        return ops.AddConstraintOp.from_constraint(constraint)

    def _in_use(self, table: Table) -> bool:
        """Return whether the migrations have made the table already, and CONCURRENTLY can build on it."""
        return table.qualified in self.migrated.by_name and table.kind != "p"

    def _table(self, qualified: str) -> sa.Table | None:
        """The metadata's table of that name."""
        schema, _, name = qualified.partition(".")
        found = self.metadata.tables.get(qualified)
        return self.metadata.tables.get(name) if found is None and schema == "public" else found

    def _column_declared(self, table: Table, name: str) -> sa.Column[object] | None:
        """The metadata's column of that name."""
        declared = self._table(table.qualified)
        return None if declared is None else declared.columns.get(name)


def placed(snapshot: Snapshot, name: str) -> tuple[Table | None, str]:
    """Return the table that an object is part of, if there is one, and the object's own name."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 1, -1):
        table = snapshot.by_name.get(".".join(parts[:end]))
        if table:
            return table, ".".join(parts[end:])
    return None, name


Item = TypeVar("Item", Sequence, Type)


def _named(items: Iterable[Item], change: Change) -> Item:
    """The item that a change is of."""
    return next(item for item in items if item.qualified == change.name)


def _whole(change: Change, name: str) -> str:
    """A statement for an object that is part of no table: a function, a schema, an extension …"""
    after = change.after or ""
    return after if after.startswith("CREATE") else ddl.alter(change, sql_kind(change.kind), name)


def _rendered(operation: ops.MigrateOperation) -> str:
    """The operation as autogenerate writes it, without its comments."""
    context = MigrationContext.configure(dialect_name="postgresql")
    code = render_python_code(ops.UpgradeOps(ops=[operation]), migration_context=context)
    lines = [line.removeprefix("    ") for line in code.splitlines() if not line.strip().startswith("# ###")]
    return "\n".join(lines)
