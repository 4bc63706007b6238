"""Code that does safely what a statement did, with the names that it used: to be pasted into the revision."""

from __future__ import annotations

import re
from typing import Any

from alembic import op

from harness.catalog import Column, Index, Table
from harness.migrations.tracing.evidence import CatalogPart, Relation, TracedStatement
from harness.migrations.tracing.observations import Observations
from harness.sql import lexer
from harness.sql.operations import Code, autocommit, create_index_concurrently, drop_index_concurrently, execute
from harness.sql.operations import op as call
from harness.sql.quoting import identifier, qualified

REPACK = "leave it out of the revision: pg_repack and pg_squeeze rewrite a table while it is in use"
MOVED = "leave it out of the revision: it copies the table; make a second table so, and move the rows in batches"


def index(
    seen: Observations, statement: TracedStatement, part: CatalogPart, relation: Relation, *, unique: bool = False
) -> str:
    """Return code that builds an index CONCURRENTLY, again where an earlier run has left it INVALID."""
    table, after = seen.before.by_oid[relation.oid], seen.after.by_oid.get(relation.oid)
    found = next((item for item in after.indexes if item.name == part.name), None) if after else None
    if table.kind == "p":
        made = found.definition if found else f"CREATE INDEX {identifier(part.name)} ON ONLY {qualified(table)} (...)"
        later = "# then one on each partition CONCURRENTLY, and ALTER INDEX ... ATTACH PARTITION for each"
        return f"{execute(made)}\n{later}"
    plain = found is None or (after is not None and _is_plain(found, after))
    keys = after.names(found.columns) if after and found and plain else Code("[...]")
    named: dict[str, Any] = {"unique": True} if unique or part.unique else {}
    gone = drop_index_concurrently(table, part.name)
    made = create_index_concurrently(table, part.name, keys, **named)
    if found and not plain:
        made = execute(found.definition.replace(" INDEX ", " INDEX CONCURRENTLY ", 1))
    return concurrently(statement, gone, made)


def concurrently(statement: TracedStatement, *operations: str) -> str:
    """Return operations in their own block, without the timeouts that the statement ran under.

    CONCURRENTLY waits for every older snapshot of the database, so no limit may stop it.
    """
    timeouts = {"lock_timeout": statement.lock_timeout, "statement_timeout": statement.statement_timeout}
    limits = {name: limit for name, limit in timeouts.items() if limit}
    waiting = (execute(f"SET {name} = 0") for name in limits)
    return autocommit(*waiting, *operations, *(execute(f"SET {name} = {limit}") for name, limit in limits.items()))


def key(seen: Observations, statement: TracedStatement, part: CatalogPart, relation: Relation, word: str) -> str:
    """Return code that builds a key's index CONCURRENTLY, then makes it the key."""
    name, table = identifier(part.name), qualified(seen.before.by_oid[relation.oid])
    add = f"ALTER TABLE {table} ADD CONSTRAINT {name} {word} USING INDEX {name}"
    return f"{index(seen, statement, part, relation, unique=True)}\n{execute(add)}"


def constraint(seen: Observations, part: CatalogPart, relation: Relation, word: str) -> str:
    """Return code that adds a CHECK or a foreign key NOT VALID, and validates it in its own transaction."""
    after = seen.after.by_oid.get(relation.oid)
    found = [item.definition for item in after.constraints if item.name == part.name] if after else []
    definition = found[0].removesuffix(" NOT VALID") if found else f"{word} (...)"
    return _proved(seen.before.by_oid[relation.oid], part.name, definition)


def not_null(seen: Observations, part: CatalogPart, relation: Relation) -> str:
    """Return code that proves NOT NULL by a CHECK, so that setting it reads nothing."""
    table = seen.before.by_oid[relation.oid]
    if _offers("add_not_null", table):
        return call("add_not_null", table.name, part.name)
    check, column = f"ck_{table.name}_{part.name}_not_null"[:63], identifier(part.name)
    alter = f"ALTER TABLE {qualified(table)}"
    return "\n".join(
        [
            _proved(table, check, f"CHECK ({column} IS NOT NULL)"),
            execute(f"{alter} ALTER COLUMN {column} SET NOT NULL"),
            execute(f"{alter} DROP CONSTRAINT {identifier(check)}"),
        ]
    )


def rewrite(seen: Observations, statement: TracedStatement, relation: Relation) -> str:
    """Return what to do in place of a statement that rewrote a table; empty where that is not plain."""
    words = [word for tokens in lexer.statements(statement.sql) for word in tokens]
    if {"VACUUM", "CLUSTER"} & {*words[:1]}:
        return REPACK
    table, after = seen.before.by_oid[relation.oid], seen.after.by_oid.get(relation.oid)
    for column in after.columns if after else ():
        if column.number not in table.by_number and (column.default or column.identity):
            return _filled_later(table, column)
    if retype := retyped(seen, relation):
        return retype
    if {"LOGGED", "UNLOGGED", "TABLESPACE", "ACCESS"} & {*words}:
        return MOVED
    return ""


def retyped(seen: Observations, relation: Relation) -> str:
    """Return how to change the type of a column without a lock; empty where the revision changes none."""
    table, after = seen.before.by_oid[relation.oid], seen.after.by_oid.get(relation.oid)
    for column in after.columns if after else ():
        old = table.by_number.get(column.number)
        if old and old.type != column.type:
            name = identifier(f"{column.name}_next")
            added = execute(f"ALTER TABLE {qualified(table)} ADD COLUMN {name} {column.type}")
            return f"{added}\n# fill it in batches, build its indexes CONCURRENTLY, and let the application move over"
    return ""


def _filled_later(table: Table, column: Column) -> str:
    """Add a column without the value that each row would get, which then is given in batches."""
    alter, name = f"ALTER TABLE {qualified(table)}", identifier(column.name)
    lines = [execute(f"{alter} ADD COLUMN {name} {column.type}")]
    if column.generated:
        return f"{lines[0]}\n# filled by a trigger for rows that are written from now on, and in batches for the others"
    if column.default:
        sequence = re.fullmatch(r"nextval\('([^']+)'::regclass\)", column.default)
        lines += [execute(f"CREATE SEQUENCE {sequence[1]}")] if sequence else []
        lines.append(execute(f"{alter} ALTER COLUMN {name} SET DEFAULT {column.default}"))
    return "\n".join([*lines, "# fill the rows that are there in batches, in a later revision; then NOT NULL"])


def _proved(table: Table, name: str, definition: str) -> str:
    alter, name = f"ALTER TABLE {qualified(table)}", identifier(name)
    add = f"{alter} DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} {definition} NOT VALID"
    return autocommit(execute(add), execute(f"{alter} VALIDATE CONSTRAINT {name}"))


def _is_plain(found: Index, table: Table) -> bool:
    """Return whether name, table and columns say all of an index."""
    columns = ", ".join(map(identifier, table.names(found.columns))) if 0 not in found.columns else ""
    return found.definition.endswith(f"{identifier(table.name)} USING btree ({columns})")


def _offers(operation: str, table: Table) -> bool:
    """Whether the project's env.py has given Alembic an operation, all of which take tables of the search path."""
    return hasattr(op, operation) and table.schema == "public"
