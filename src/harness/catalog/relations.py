"""Tables, views and their parts in a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, a view or a materialized view.

    `type` is the declared type (`character varying(20)`, `public.citext`). `base` is the plain name of the type with
    domains resolved (`varchar`, `int8`); of an array it is the element's, and `array` is true. `modifier` is the typmod
    in force, also a domain's; -1 without one. `not_null` is true only if no row can hold a null: a NOT NULL that is not
    validated (18) does not count. `default` is also the expression of a generated column. `collation` is quoted for
    SQL, and "" if it is the type's own.
    """

    number: int
    name: str
    type: str
    base: str
    base_oid: int
    array: bool
    domain: str | None
    modifier: int
    not_null: bool
    default: str | None
    identity: str
    generated: str
    collation: str | None
    collation_oid: int
    comment: str | None
    acl: tuple[str, ...]
    storage: str
    compression: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """One row of pg_constraint on a table.

    `kind` is contype: p, u, f, c, x, t and, from 18 on, n: only NOT NULLs that are not validated or NO INHERIT, because
    the column has the rest. `columns` and `referenced` are column numbers in the constraint's order. `inherited` marks
    the copies that partitioning and inheritance make. `index` is the OID of the index of a key, and of the referenced
    key for a foreign key. `set_columns` are those that ON DELETE SET acts on (15), empty for all. Actions are a, r, c,
    n, d as in confdeltype.
    """

    oid: int
    name: str
    kind: str
    columns: tuple[int, ...]
    definition: str
    deferrable: bool
    deferred: bool
    validated: bool
    enforced: bool
    no_inherit: bool
    inherited: bool
    index: int
    target: int
    referenced: tuple[int, ...]
    on_update: str
    on_delete: str
    set_columns: tuple[int, ...]
    match: str
    period: bool
    expression: str | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an index: a column (`number`), or an expression (`number` 0) with its text.

    `text` is the quoted column name or the expression. `option` holds the bits of indoption: 1 descending,
    2 nulls first. Included columns are not keys.
    """

    number: int
    text: str
    opclass: int
    opclass_name: str
    collation: int
    option: int


@dataclass(frozen=True, slots=True)
class Index:
    """One index. `constraint` names the constraint that owns it; `parent` is the OID of a partitioned index or 0."""

    oid: int
    name: str
    method: str
    unique: bool
    primary: bool
    exclusion: bool
    immediate: bool
    valid: bool
    ready: bool
    nulls_not_distinct: bool
    keys: tuple[Key, ...]
    included: tuple[int, ...]
    predicate: str | None
    definition: str
    constraint: str | None
    parent: int
    replica_identity: bool
    clustered: bool
    comment: str | None

    @property
    def columns(self) -> tuple[int, ...]:
        """The key columns' numbers in order, 0 for an expression."""
        return tuple(key.number for key in self.keys)

    @property
    def total(self) -> bool:
        """Whether it is valid, without predicate and expression, so that it covers every row."""
        return self.valid and self.predicate is None and 0 not in self.columns


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger; `enabled` is tgenabled: O, D, R or A.

    Of a foreign key's internal triggers only disabled ones are kept, under the constraint's name and without a
    definition.
    """

    name: str
    enabled: str
    definition: str | None
    function: str
    comment: str | None


@dataclass(frozen=True, slots=True)
class Policy:
    """A row-level security policy; `command` is r, a, w, d or *."""

    name: str
    command: str
    permissive: bool
    roles: tuple[str, ...]
    using: str | None
    check: str | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class RewriteRule:
    """A rule made by CREATE RULE on a table or a view."""

    name: str
    enabled: str
    definition: str


class InSchema:
    """An object that has its name in a schema."""

    __slots__ = ()
    schema: str
    name: str

    @property
    def qualified(self) -> str:
        """`schema.name`, as findings and exemptions write it."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Table(InSchema):
    """A table (`kind` r), a partitioned one (p), a view (v) or a materialized view (m), with its parts.

    `partition` is true for a child of a partitioned table; `parents` are OIDs of pg_inherits. `definition` is a view's
    query, `reads` the OIDs of its relations.
    """

    oid: int
    schema: str
    name: str
    kind: str
    persistence: str
    owner: str
    partition: bool
    parents: tuple[int, ...]
    row_security: bool
    force_row_security: bool
    acl: tuple[str, ...]
    options: tuple[str, ...]
    comment: str | None
    definition: str | None
    partition_key: str | None
    partition_bound: str | None
    replica_identity: str
    method: str | None
    tablespace: str | None
    reads: tuple[int, ...] = ()
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    policies: tuple[Policy, ...] = ()
    rules: tuple[RewriteRule, ...] = ()

    @cached_property
    def by_number(self) -> dict[int, Column]:
        """Columns by attnum."""
        return {column.number: column for column in self.columns}

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Columns by name."""
        return {column.name: column for column in self.columns}

    @cached_property
    def primary_key(self) -> Constraint | None:
        """The primary key, if any."""
        return next((item for item in self.constraints if item.kind == "p"), None)

    @cached_property
    def foreign_keys(self) -> tuple[Constraint, ...]:
        """Foreign keys declared here, without the copies that partitioning and inheritance make."""
        return tuple(item for item in self.constraints if item.kind == "f" and not item.inherited)

    def names(self, numbers: tuple[int, ...]) -> tuple[str, ...]:
        """Return the column names of `numbers`, in their order."""
        return tuple(self.by_number[number].name for number in numbers)
