"""Names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.catalog import Snapshot, Table
from harness.rules import Breach, rule
from harness.schema.alembic_code import fix
from harness.sql.operations import execute, op
from harness.sql.quoting import identifier, needs_quotes, qualified

LONGEST = 63
"""NAMEDATALEN - 1: bytes beyond are cut off in silence (Postgres manual, "Identifiers and Key Words")."""


@dataclass(frozen=True, slots=True)
class _Name:
    """A name that somebody chose or meets; `within` is the table that it hangs on."""

    kind: str
    object: str
    name: str
    within: Table | None = None
    arguments: str = ""

    @property
    def rename(self) -> str:
        """The operation that gives the object another name."""
        table = self.within
        if table and self.kind == "table":
            return op("rename_table", self.name, "...", schema=table.schema)
        if table and self.kind == "column":
            return op("alter_column", table.name, self.name, schema=table.schema, new_column_name="...")
        if table and self.kind == "constraint":
            return execute(f"ALTER TABLE {qualified(table)} RENAME CONSTRAINT {identifier(self.name)} TO ...")
        schema = self.object.partition(".")[0]
        own = identifier(self.name) if self.kind == "schema" else identifier(schema, self.name)
        return execute(f"ALTER {self.kind.upper()} {own}{self.arguments} RENAME TO ...")


def _named(snapshot: Snapshot, wrong: Callable[[str], object]) -> Iterator[_Name]:
    """Every wrong name; those of partitions and of sequences inside columns follow from others."""
    for schema in snapshot.schemas:
        if wrong(schema.name):
            yield _Name("schema", schema.name, schema.name)
    for table in snapshot.relations:
        if not table.partition:
            yield from _parts(table, wrong)
    for sequence in snapshot.sequences:
        if not sequence.owner_table and wrong(sequence.name):
            yield _Name("sequence", sequence.qualified, sequence.name)
    for function in snapshot.functions:
        if wrong(function.name):
            yield _Name("routine", function.qualified, function.name, arguments=f"({function.arguments})")
    for item in snapshot.types:
        if wrong(item.name):
            yield _Name("type", item.qualified, item.name)


def _parts(table: Table, wrong: Callable[[str], object]) -> Iterator[_Name]:
    """The wrong names of one table and its parts; an index behind a constraint goes by that."""
    if wrong(table.name):
        yield _Name("table", table.qualified, table.name, table)
    for column in table.columns:
        if wrong(column.name):
            yield _Name("column", f"{table.qualified}.{column.name}", column.name, table)
    for item in table.constraints:
        if item.kind != "n" and not item.inherited and wrong(item.name):
            yield _Name("constraint", f"{table.qualified}.{item.name}", item.name, table)
    for index in table.indexes:
        if not index.constraint and wrong(index.name):
            yield _Name("index", f"{table.qualified}.{index.name}", index.name, table)


@rule("name-needs-quotes", "error", "A name can be written without quotes")
def name_needs_quotes(snapshot: Snapshot) -> Iterator[Breach]:
    """Find names with upper case letters or symbols, and reserved words.

    Why: every statement in every tool must quote the name; one that does not fails, or finds another object
    Fix: use lower case letters, digits and underscores, and no reserved word
    """
    for named in _named(snapshot, lambda name: needs_quotes(name, snapshot.keywords)):
        word = named.name in snapshot.keywords
        cause = "is a word of SQL" if word else "has more than lower-case letters, digits and underscores"
        yield Breach(
            named.object, f"the {named.kind} name {named.name!r} {cause}", fix(named.rename, "the same name there")
        )


@rule("name-truncated", "error", "A name is shorter than 63 bytes")
def name_truncated(snapshot: Snapshot) -> Iterator[Breach]:
    """Find names of 63 bytes in UTF-8.

    Why: Postgres truncates names to 63 bytes: two long names may become one, and migrations look for the full one
    Fix: use a shorter name
    """
    for named in _named(snapshot, lambda name: len(name.encode()) >= LONGEST):
        size = len(named.name.encode())
        yield Breach(
            named.object, f"the {named.kind} name has {size} bytes, all that fit", fix(named.rename, "the same there")
        )
