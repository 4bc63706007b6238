"""Code that does safely what a statement did, with the names that it used: to be pasted into the revision."""

from __future__ import annotations

import re

from alembic import op

from harness.catalog import Column, Constraint, Index, Table
from harness.migrations.tracing.evidence import CatalogPart, Relation, TracedStatement
from harness.migrations.tracing.observations import Observations
from harness.sql import lexer

PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
BLOCK = "with op.get_context().autocommit_block():"
REPACK = "leave it out of the revision: pg_repack and pg_squeeze write a table anew while it is in use"
MOVED = "leave it out of the revision: it copies the table; make a second table so, and move the rows in batches"


def index(
    seen: Observations, statement: TracedStatement, part: CatalogPart, table: Relation, *, unique: bool = False
) -> str:
    """Build an index CONCURRENTLY, again where an earlier run has left it INVALID."""
    if table.kind == "p":
        return (
            f"op.execute({_text(f'CREATE INDEX {quoted(part.name)} ON ONLY {table.name} (...)')})\n"
            "# then one on each partition CONCURRENTLY, and ALTER INDEX ... ATTACH PARTITION for each"
        )
    found = next((item for item in _items(seen, part) if isinstance(item, Index) and item.name == part.name), None)
    after = seen.after.by_oid.get(part.table)
    plain = found is None or (after is not None and _is_plain(found, after))
    names = list(after.names(found.columns)) if after and found and plain else None
    columns = "[" + ", ".join(map(_text, names)) + "]" if names else "[...]"
    word = ", unique=True" if unique or part.unique else ""
    if plain and _offers("create_index_concurrently", table):
        return f"op.create_index_concurrently({_text(part.name)}, {_text(_name(table))}, {columns}{word})"
    schema = _schema(table)
    if plain or found is None:
        made = f"op.create_index({_text(part.name)}, {_text(_name(table))}, {columns}{word}{schema}, "
        made += "postgresql_concurrently=True)"
    else:
        made = f"op.execute({_text(found.definition.replace(' INDEX ', ' INDEX CONCURRENTLY ', 1))})"
    gone = f"op.drop_index({_text(part.name)}, {_text(_name(table))}{schema}, if_exists=True, "
    lines = [*_waiting(statement), gone + "postgresql_concurrently=True)", made, *_limited(statement)]
    return "\n    ".join([BLOCK, *lines])


def key(seen: Observations, statement: TracedStatement, part: CatalogPart, table: Relation, word: str) -> str:
    """Build a key's index CONCURRENTLY, then make it the key."""
    name = quoted(part.name)
    add = f"ALTER TABLE {table.name} ADD CONSTRAINT {name} {word} USING INDEX {name}"
    return f"{index(seen, statement, part, table, unique=True)}\nop.execute({_text(add)})"


def constraint(seen: Observations, part: CatalogPart, table: Relation, word: str) -> str:
    """Add a CHECK or a foreign key NOT VALID, and validate it in a transaction of its own."""
    items = [item for item in _items(seen, part) if isinstance(item, Constraint) and item.name == part.name]
    definition = items[0].definition.removesuffix(" NOT VALID") if items else f"{word} (...)"
    return _proved(table, part.name, definition)


def not_null(part: CatalogPart, table: Relation) -> str:
    """Prove NOT NULL by a CHECK, so that setting it reads nothing."""
    if _offers("add_not_null", table):
        return f"op.add_not_null({_text(_name(table))}, {_text(part.name)})"
    check = f"ck_{_name(table)}_{part.name}_not_null"[:63]
    alter = f"ALTER TABLE {table.name}"
    return "\n".join(
        [
            _proved(table, check, f"CHECK ({quoted(part.name)} IS NOT NULL)"),
            f"op.execute({_text(f'{alter} ALTER COLUMN {quoted(part.name)} SET NOT NULL')})",
            f"op.execute({_text(f'{alter} DROP CONSTRAINT {quoted(check)}')})",
        ]
    )


def rewrite(seen: Observations, statement: TracedStatement, table: Relation) -> str:
    """What to do in place of what wrote a table anew; empty where that is not plain."""
    words = [word for tokens in lexer.statements(statement.sql) for word in tokens]
    if {"VACUUM", "CLUSTER"} & {*words[:1]}:
        return REPACK
    after, before = seen.after.by_oid.get(table.oid), seen.before.by_oid[table.oid]
    for column in after.columns if after else ():
        old = before.by_number.get(column.number)
        if old is None and (column.default or column.identity):
            return _filled_later(table, column)
        if old and old.type != column.type:
            added = f"ALTER TABLE {table.name} ADD COLUMN {quoted(f'{column.name}_next')} {column.type}"
            return f"op.execute({_text(added)})\n# fill it in batches, and let the application move over"
    if {"LOGGED", "UNLOGGED", "TABLESPACE", "ACCESS"} & {*words}:
        return MOVED
    return ""


def quoted(name: str) -> str:
    """An identifier as SQL needs it."""
    return name if PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def _filled_later(table: Relation, column: Column) -> str:
    """Add a column without the value that each row would get, which then is given in batches."""
    alter, name = f"ALTER TABLE {table.name}", quoted(column.name)
    lines = [f"op.execute({_text(f'{alter} ADD COLUMN {name} {column.type}')})"]
    if column.generated:
        return f"{lines[0]}\n# filled by a trigger for rows that are written from now on, and in batches for the others"
    if column.default:
        sequence = re.fullmatch(r"nextval\('([^']+)'::regclass\)", column.default)
        lines += [f"op.execute({_text(f'CREATE SEQUENCE {sequence[1]}')})"] if sequence else []
        lines.append(f"op.execute({_text(f'{alter} ALTER COLUMN {name} SET DEFAULT {column.default}')})")
    return "\n".join([*lines, "# fill the rows that are there in batches, in a later revision; then NOT NULL"])


def _proved(table: Relation, name: str, definition: str) -> str:
    alter, name = f"ALTER TABLE {table.name}", quoted(name)
    add = f"{alter} DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} {definition} NOT VALID"
    validate = f"{alter} VALIDATE CONSTRAINT {name}"
    return f"{BLOCK}\n    op.execute({_text(add)})\n    op.execute({_text(validate)})"


def _items(seen: Observations, part: CatalogPart) -> tuple[Index | Constraint, ...]:
    table = seen.after.by_oid.get(part.table)
    return (*table.indexes, *table.constraints) if table else ()


def _is_plain(found: Index, table: Table) -> bool:
    """Whether name, table and columns say all of an index."""
    if 0 in found.columns:
        return False
    columns = ", ".join(map(quoted, table.names(found.columns)))
    return found.definition.endswith(f"{quoted(table.name)} USING btree ({columns})")


def _waiting(statement: TracedStatement) -> list[str]:
    """CONCURRENTLY waits for every older snapshot, so no limit may stop it."""
    return [f'op.execute("SET {name} = 0")' for name, value in _timeouts(statement) if value]


def _limited(statement: TracedStatement) -> list[str]:
    return [f'op.execute("SET {name} = {value}")' for name, value in _timeouts(statement) if value]


def _timeouts(statement: TracedStatement) -> tuple[tuple[str, int], ...]:
    return ("lock_timeout", statement.lock_timeout), ("statement_timeout", statement.statement_timeout)


def _offers(operation: str, table: Relation) -> bool:
    """Whether the project's env.py has given Alembic an operation, all of which take tables of the search path."""
    return hasattr(op, operation) and table.name.startswith("public.")


def _name(table: Relation) -> str:
    return table.name.partition(".")[2]


def _schema(table: Relation) -> str:
    schema = table.name.partition(".")[0]
    return "" if schema == "public" else f", schema={_text(schema)}"


def _text(value: str) -> str:
    """A string as Python writes it, in double quotes where it holds none."""
    return repr(value) if '"' in value or "\\" in value else f'"{value}"'
