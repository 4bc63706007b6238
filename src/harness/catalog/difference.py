"""The difference of two snapshots, object by object and attribute by attribute.

Objects are matched by kind and name. OIDs, column numbers and the physical order of columns are left out; so are roles,
which belong to the cluster and not to the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.catalog.objects import Snapshot, Type
from harness.catalog.relations import Column, Constraint, Table

Attributes = Mapping[str, str | None]
Key = tuple[str, str]
"""The kind and the name of an object."""


@dataclass(frozen=True, slots=True)
class Change:
    """An attribute that differs, or an object that only one side has (`attribute` is then "").

    `name` is `schema.table` for a table, `schema.table.part` for its parts. `before` is None if the object or the value
    is new, `after` if it was dropped.
    """

    kind: str
    name: str
    attribute: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        """Return the change on one line."""
        if self.attribute:
            return f"{self.kind} {self.name}: {self.attribute} {self.before!r} -> {self.after!r}"
        return f"{self.kind} {self.name} " + ("is new" if self.before is None else "is gone")


@dataclass(frozen=True, slots=True)
class _Described:
    """An object to compare; if its `parent` is missing, the object is not listed."""

    attributes: Attributes
    parent: Key | None = None

    def __str__(self) -> str:
        """Return its definition, or its attributes."""
        known = self.attributes.get("definition")
        return known or ", ".join(f"{key} {value}" for key, value in self.attributes.items() if value)


def difference(before: Snapshot, after: Snapshot) -> list[Change]:
    """Return every change from `before` to `after`, in order of kind and name.

    The parts of a table that only one side has are not listed.
    """
    old, new = dict(_described(before)), dict(_described(after))
    changes: list[Change] = []
    for key in sorted(old.keys() | new.keys()):
        left, right = old.get(key), new.get(key)
        if left and right:
            changes += [
                Change(*key, attribute, left.attributes.get(attribute), right.attributes.get(attribute))
                for attribute in sorted(left.attributes.keys() | right.attributes.keys())
                if left.attributes.get(attribute) != right.attributes.get(attribute)
            ]
        elif left and (left.parent is None or left.parent in new):
            changes.append(Change(*key, "", str(left), None))
        elif right and (right.parent is None or right.parent in old):
            changes.append(Change(*key, "", None, str(right)))
    return changes


def _described(snapshot: Snapshot) -> Iterator[tuple[Key, _Described]]:
    """Yield every object of a snapshot."""
    for schema in snapshot.schemas:
        yield ("schema", schema.name), _Described(_attributes(schema, "owner grants comment"))
    for table in snapshot.relations:
        yield from _relation(snapshot, table)
    yield from _sequences(snapshot)
    for function in snapshot.functions:
        yield ("function", function.qualified), _Described(_attributes(function, "definition owner grants comment"))
    yield from _types(snapshot)
    for extension in snapshot.extensions:
        yield ("extension", extension.name), _Described(_attributes(extension, "version schema"))
    for other in snapshot.others:
        yield (other.kind, other.name), _Described(_attributes(other, "definition"))


def _attributes(item: Any, names: str, **computed: str | None) -> Attributes:
    """Return the attributes `names` of an object as texts, the `computed` ones in their place; `grants` is its acl."""
    texts = {}
    for name in names.split():
        value = computed[name] if name in computed else getattr(item, "acl" if name == "grants" else name)
        texts[name.replace("_", " ")] = ", ".join(value) if isinstance(value, tuple) else value
    return texts


def _flags(**flags: bool) -> str:
    """Return the names of the flags that are set."""
    return ", ".join(name for name, is_set in flags.items() if is_set)


KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialized view"}
TABLE = """
definition persistence owner grants options comment row_security partition_key partition_bound parents
replica_identity access_method tablespace
"""
COLUMN = "type nullability {} identity generated collation comment grants storage compression"


def _relation(snapshot: Snapshot, table: Table) -> Iterator[tuple[Key, _Described]]:
    """Yield a table or a view, then its parts."""
    own = (KINDS[table.kind], table.qualified)
    parents = [snapshot.by_oid[oid].qualified for oid in table.parents if oid in snapshot.by_oid]
    security = _flags(enabled=table.row_security, forced=table.force_row_security)
    attributes = _attributes(
        table, TABLE, row_security=security, parents=", ".join(parents), access_method=table.method
    )
    yield own, _Described(attributes, (KINDS["p"], parents[0]) if table.partition and parents else None)
    for kind, name, part in _parts(table):
        yield (kind, f"{table.qualified}.{name}"), _Described(part, own)


def _parts(table: Table) -> Iterator[tuple[str, str, Attributes]]:
    """Yield columns, constraints, indexes, triggers, policies and rules of a table as (kind, name, attributes)."""
    for column in table.columns:
        names = COLUMN.format("computed" if column.generated else "default")
        yield (
            "column",
            column.name,
            _attributes(column, names, nullability=_nullability(column), computed=column.default),
        )
    for constraint in table.constraints:
        yield from _constraint(table, constraint)
    for index in table.indexes:
        if index.constraint is None:
            flags = _flags(valid=index.valid, replica_identity=index.replica_identity, clustered=index.clustered)
            yield "index", index.name, _attributes(index, "definition flags comment", flags=flags)
    for trigger in table.triggers:
        yield "trigger", trigger.name, _attributes(trigger, "definition enabled comment")
    for policy in table.policies:
        permissive = _flags(permissive=policy.permissive)
        names = "command permissive roles using check comment"
        yield "policy", policy.name, _attributes(policy, names, permissive=permissive)
    for rule in table.rules:
        yield "rule", rule.name, _attributes(rule, "definition enabled")


def _nullability(item: Column | Type) -> str:
    return "NOT NULL" if item.not_null else "NULL"


def _constraint(table: Table, constraint: Constraint) -> Iterator[tuple[str, str, Attributes]]:
    """Yield a constraint; a NOT NULL (18) under its column, since its name is kept when either is renamed."""
    if constraint.kind == "n":
        yield "not null", table.names(constraint.columns)[0], {"definition": constraint.definition}
    elif constraint.kind != "f" or table.partition or not constraint.inherited:
        yield "constraint", constraint.name, _attributes(constraint, "definition comment")


def _sequences(snapshot: Snapshot) -> Iterator[tuple[Key, _Described]]:
    """Yield sequences; one that belongs to a column is listed with its table only."""
    for sequence in snapshot.sequences:
        table = snapshot.by_oid.get(sequence.owner_table)
        attributes = _attributes(
            sequence,
            "type range cache cycle owner owned_by grants persistence comment",
            range=f"{sequence.minimum} to {sequence.maximum} by {sequence.increment} from {sequence.start}",
            cache=str(sequence.cache),
            cycle=_flags(cycle=sequence.cycle),
            owned_by=f"{table.qualified}.{table.by_number[sequence.owner_column].name}" if table else None,
        )
        parent = (KINDS[table.kind], table.qualified) if table else None
        yield ("sequence", sequence.qualified), _Described(attributes, parent)


def _types(snapshot: Snapshot) -> Iterator[tuple[Key, _Described]]:
    """Yield enums, domains, composites and ranges."""
    for item in snapshot.types:
        checks = [f"{name} {text}" + ("" if valid else " NOT VALID") for name, text, valid in item.checks]
        attributes = _attributes(
            item,
            "kind definition labels nullability default checks owner grants comment",
            labels=", ".join(map(repr, item.labels)),
            nullability=_nullability(item),
            checks="; ".join(checks),
        )
        yield ("type", item.qualified), _Described(attributes)
