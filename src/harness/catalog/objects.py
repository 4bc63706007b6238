"""The objects of a snapshot: pg_catalog's description of a schema, typed and frozen.

Names are as stored, without quotes. Definitions come from the server's `pg_get_*` functions with an empty search_path,
so every name outside pg_catalog is qualified. Rights (`acl`) are sorted texts `grantee=rights/grantor`; a null in the
catalogue is written out as the default that it means, except on columns, where it means none. OIDs and column numbers
identify objects within one database only; `difference` ignores them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from harness.catalog.relations import Constraint, Index, InSchema, Table


@dataclass(frozen=True, slots=True)
class Sequence(InSchema):
    """A sequence. `owner_table` and `owner_column` own it (0 for none), `users` are the defaults that call it.

    `identity` is true for the sequence inside an identity column. `users` are (table OID, column number) pairs.
    """

    oid: int
    schema: str
    name: str
    type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cache: int
    cycle: bool
    owner: str
    acl: tuple[str, ...]
    persistence: str
    owner_table: int
    owner_column: int
    identity: bool
    users: tuple[tuple[int, int], ...]
    comment: str | None


@dataclass(frozen=True, slots=True)
class Function(InSchema):
    """A function, procedure, aggregate or window function; `kind` is prokind: f, p, a or w."""

    oid: int
    schema: str
    name: str
    arguments: str
    kind: str
    language: str
    security_definer: bool
    settings: tuple[str, ...]
    owner: str
    acl: tuple[str, ...]
    definition: str
    comment: str | None

    @property
    def qualified(self) -> str:
        """`schema.name(argument types)`, which distinguishes overloads."""
        return f"{self.schema}.{self.name}({self.arguments})"


@dataclass(frozen=True, slots=True)
class Type(InSchema):
    """An enum (`kind` e, `labels` in sort order), domain (d), composite (c) or range (r).

    `definition` is a domain's base type, a composite's attributes or a range's subtype. `checks` are a domain's
    constraints as (name, definition, validated).
    """

    oid: int
    schema: str
    name: str
    kind: str
    owner: str
    acl: tuple[str, ...]
    labels: tuple[str, ...]
    definition: str
    not_null: bool
    default: str | None
    checks: tuple[tuple[str, str, bool], ...]
    comment: str | None


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema of the project."""

    oid: int
    name: str
    owner: str
    acl: tuple[str, ...]
    comment: str | None


@dataclass(frozen=True, slots=True)
class Extension:
    """An installed extension; `available` is the version that this server would install today."""

    name: str
    version: str
    schema: str
    available: str | None


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the cluster; `member_of` names every role whose privileges it has."""

    name: str
    superuser: bool
    bypass_row_security: bool
    member_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """An object that is only compared: default privileges, publications, event triggers, statistics, casts …"""

    kind: str
    name: str
    definition: str


@dataclass(frozen=True)
class Snapshot:
    """All objects of one database that are in scope, at one moment.

    `version` is server_version_num, `role` the role that read it, `can_write` whether that role may write to any table
    or create objects, `keywords` the words that must be quoted as names. Tables include partitions; rules read `roots`.
    """

    version: int
    database: str
    role: str
    can_write: bool
    keywords: frozenset[str]
    schemas: tuple[Schema, ...]
    relations: tuple[Table, ...]
    sequences: tuple[Sequence, ...]
    functions: tuple[Function, ...]
    types: tuple[Type, ...]
    extensions: tuple[Extension, ...]
    roles: tuple[Role, ...]
    others: tuple[Other, ...] = field(default=())

    @property
    def major(self) -> int:
        """The server's major version."""
        return self.version // 10000

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """Tables and partitioned tables, with partitions, in order of name."""
        return tuple(table for table in self.relations if table.kind in "rp")

    @cached_property
    def roots(self) -> tuple[Table, ...]:
        """Tables without partitions of another: a partitioned table is reported once."""
        return tuple(table for table in self.tables if not table.partition)

    @cached_property
    def by_oid(self) -> dict[int, Table]:
        """Tables, views and materialized views by OID."""
        return {table.oid: table for table in self.relations}

    @cached_property
    def by_name(self) -> dict[str, Table]:
        """Tables, views and materialized views by `schema.name`."""
        return {table.qualified: table for table in self.relations}

    @cached_property
    def indexes(self) -> dict[str, Index]:
        """Every index by `schema.name`; it is in its table's schema."""
        return {f"{table.schema}.{index.name}": index for table in self.relations for index in table.indexes}

    @cached_property
    def referrers(self) -> dict[int, tuple[tuple[Table, Constraint], ...]]:
        """The foreign keys of root tables that point at a table's OID."""
        found: dict[int, list[tuple[Table, Constraint]]] = {}
        for table in self.roots:
            for key in table.foreign_keys:
                found.setdefault(key.target, []).append((table, key))
        return {oid: tuple(keys) for oid, keys in found.items()}
