"""Constraints and unique keys."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog import Snapshot
from harness.rules import Breach, rule
from harness.schema.alembic_code import argument, fix, index_keys, replace_index
from harness.schema.options import Options
from harness.sql.operations import Code, execute, op
from harness.sql.predicates import not_null_columns
from harness.sql.quoting import identifier, qualified


@rule("constraint-not-valid", "error", "Every constraint is validated")
def constraint_not_valid(snapshot: Snapshot) -> Iterator[Breach]:
    """Find CHECK, foreign key, domain and (from Postgres 18) NOT NULL constraints that are NOT VALID.

    Why: rows from before the constraint may violate it, and the planner cannot rely on it
    Fix: ALTER TABLE ... VALIDATE CONSTRAINT, which reads the table and does not block writers
    """
    for table in snapshot.roots:
        for item in table.constraints:
            if item.kind in "cfn" and not item.validated and item.enforced and not _copied(item.kind, item.inherited):
                yield Breach(
                    f"{table.qualified}.{item.name}",
                    f"{item.definition} was not checked against existing rows",
                    fix(
                        execute(f"ALTER TABLE {qualified(table)} VALIDATE CONSTRAINT {identifier(item.name)}"),
                        "remove postgresql_not_valid=True",
                    ),
                )
    for domain in snapshot.types:
        for name, definition, validated in domain.checks:
            if not validated:
                yield Breach(
                    f"{domain.qualified}.{name}",
                    f"the domain's {definition} was not checked against stored values",
                    fix(execute(f"ALTER DOMAIN {qualified(domain)} VALIDATE CONSTRAINT {identifier(name)}")),
                )


def _copied(kind: str, inherited: bool) -> bool:
    """Return whether the constraint is only a foreign key's copy, which is validated with the declared one."""
    return kind == "f" and inherited


@rule("constraint-not-enforced", "error", "Every constraint is enforced")
def constraint_not_enforced(snapshot: Snapshot) -> Iterator[Breach]:
    """Find constraints that are NOT ENFORCED.

    Why: a NOT ENFORCED constraint (from Postgres 18) is never checked, although it looks like a guarantee
    Fix: make it ENFORCED, or drop it
    """
    for table in snapshot.roots:
        for item in table.constraints:
            if not item.enforced and not _copied(item.kind, item.inherited):
                name, definition = identifier(item.name), item.definition.removesuffix(" NOT ENFORCED")
                how = f"ALTER CONSTRAINT {name} ENFORCED"
                if item.kind == "c":
                    how = f"DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {definition}"
                yield Breach(
                    f"{table.qualified}.{item.name}",
                    f"{item.definition}: no row is checked",
                    fix(execute(f"ALTER TABLE {qualified(table)} {how}")),
                )


@rule("unique-lets-nulls-through", "warning", "A unique key on several columns also applies to nulls")
def unique_lets_nulls_through(snapshot: Snapshot) -> Iterator[Breach]:
    """Find multicolumn unique indexes with a nullable column, unless NULLS NOT DISTINCT or a predicate excludes nulls.

    Why: nulls are distinct from each other, so rows that are equal in all other columns are accepted any number of
        times
    Fix: make the column NOT NULL, or the key NULLS NOT DISTINCT (15), or exclude nulls by a predicate
    """
    for table in snapshot.relations:
        for index in table.indexes if not table.partition else ():
            if not index.unique or index.primary or index.nulls_not_distinct or len(index.keys) < 2:
                continue
            excluded = not_null_columns(index.predicate)
            columns = [table.by_number[number] for number in index.columns if number]
            loose = [column.name for column in columns if not column.not_null and column.name not in excluded]
            if loose and table.kind != "m":
                yield Breach(
                    f"{table.qualified}.{index.name}",
                    f"{', '.join(loose)} may be null, and rows with a null there are never duplicates",
                    fix(
                        op("alter_column", table.name, loose[0], schema=table.schema, nullable=False),
                        f"{loose[0]}: Mapped[...] without None, or postgresql_nulls_not_distinct=True",
                    ),
                )


@rule("boolean-default-missing", "warning", "A NOT NULL boolean column has a default", optional=True)
def boolean_default_missing(snapshot: Snapshot) -> Iterator[Breach]:
    """Find NOT NULL columns of type boolean without a default.

    Why: every INSERT must name the column, and adding such a column to a table with rows fails
    Fix: set the usual value as the default
    """
    yield from _without_default(snapshot, array=False)


@rule("array-default-missing", "warning", "A NOT NULL array column has a default", optional=True)
def array_default_missing(snapshot: Snapshot) -> Iterator[Breach]:
    """Find NOT NULL columns of an array type without a default.

    Why: every INSERT must send an empty array, and adding such a column to a table with rows fails
    Fix: set the empty array as the default
    """
    yield from _without_default(snapshot, array=True)


def _without_default(snapshot: Snapshot, *, array: bool) -> Iterator[Breach]:
    """NOT NULL arrays, or booleans, that have no default."""
    value = "'{}'" if array else "false"
    default = Code(f'sa.text("{value}")')
    for table in snapshot.roots:
        for column in table.columns:
            kind = column.array if array else column.base == "bool" and not column.array
            if kind and column.not_null and column.default is None:
                yield Breach(
                    f"{table.qualified}.{column.name}",
                    f"{column.type} NOT NULL without a default",
                    fix(
                        op("alter_column", table.name, column.name, schema=table.schema, server_default=default),
                        argument(column.name, f'server_default=text("{value}")'),
                    ),
                )


@rule("unique-ignores-soft-delete", "warning", "A unique index leaves out soft-deleted rows", optional=True)
def unique_ignores_soft_delete(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """Find unique indexes of tables with a soft-delete column that their predicates do not mention.

    Why: a soft-deleted row still occupies its unique value, so users cannot use it again
    Fix: make the index unique only where the column is null
    """
    for table in snapshot.roots:
        for mark in [name for name in options.soft_delete if name in table.by_name]:
            for index in table.indexes:
                if not index.unique or index.primary or mark in (index.predicate or ""):
                    continue
                if table.by_name[mark].number not in index.columns:
                    keys = index_keys(table, index)
                    where = f"{identifier(mark)} IS NULL"
                    model = f'Index(..., unique=True, postgresql_where=text("{where}"))'
                    yield Breach(
                        f"{table.qualified}.{index.name}",
                        f"rows with {mark} set still occupy ({', '.join(key.text for key in index.keys)})",
                        replace_index(table, index, keys, model, unique=True, postgresql_where=where),
                    )
