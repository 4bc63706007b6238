"""The difference of two snapshots, object by object and attribute by attribute.

Objects are matched by kind and name. OIDs, column numbers and the physical order of columns are left out; so are roles,
which belong to the cluster and not to the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.catalog.objects import Snapshot
from harness.catalog.relations import Constraint, Table

Attributes = Mapping[str, str | None]


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
    """An object to compare; if its `parent`, a (kind, name), is missing, the object is not listed."""

    attributes: Attributes
    parent: tuple[str, str] | None = None

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


def _described(snapshot: Snapshot) -> Iterator[tuple[tuple[str, str], _Described]]:
    """Yield every object of a snapshot under (kind, name)."""
    for schema in snapshot.schemas:
        yield (
            ("schema", schema.name),
            _Described({"owner": schema.owner, "grants": ", ".join(schema.acl), "comment": schema.comment}),
        )
    for table in snapshot.relations:
        yield from _relation(snapshot, table)
    yield from _sequences(snapshot)
    yield from _functions(snapshot)
    yield from _types(snapshot)
    for extension in snapshot.extensions:
        yield ("extension", extension.name), _Described({"version": extension.version, "schema": extension.schema})
    for other in snapshot.others:
        yield (other.kind, other.name), _Described({"definition": other.definition})


KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialized view"}


def _relation(snapshot: Snapshot, table: Table) -> Iterator[tuple[tuple[str, str], _Described]]:
    """Yield a table or a view, then its parts."""
    own = (KINDS[table.kind], table.qualified)
    parents = [snapshot.by_oid[oid].qualified for oid in table.parents if oid in snapshot.by_oid]
    yield (
        own,
        _Described(
            {
                "definition": table.definition,
                "persistence": table.persistence,
                "owner": table.owner,
                "grants": ", ".join(table.acl),
                "options": ", ".join(table.options),
                "comment": table.comment,
                "row security": _flags(enabled=table.row_security, forced=table.force_row_security),
                "partition key": table.partition_key,
                "partition bound": table.partition_bound,
                "parents": ", ".join(parents),
                "replica identity": table.replica_identity,
                "access method": table.method,
                "tablespace": table.tablespace,
            },
            (KINDS["p"], parents[0]) if table.partition and parents else None,
        ),
    )
    for kind, name, attributes in _parts(table):
        yield (kind, f"{table.qualified}.{name}"), _Described(attributes, own)


def _parts(table: Table) -> Iterator[tuple[str, str, Attributes]]:
    """Yield columns, constraints, indexes, triggers, policies and rules of a table as (kind, name, attributes)."""
    for column in table.columns:
        yield (
            "column",
            column.name,
            {
                "type": column.type,
                "nullability": "NOT NULL" if column.not_null else "NULL",
                "computed" if column.generated else "default": column.default,
                "identity": column.identity,
                "generated": column.generated,
                "collation": column.collation,
                "comment": column.comment,
                "grants": ", ".join(column.acl),
                "storage": column.storage,
                "compression": column.compression,
            },
        )
    for constraint in table.constraints:
        yield from _constraint(table, constraint)
    for index in table.indexes:
        if index.constraint is None:
            flags = _flags(valid=index.valid, replica_identity=index.replica_identity, clustered=index.clustered)
            yield "index", index.name, {"definition": index.definition, "flags": flags, "comment": index.comment}
    for trigger in table.triggers:
        attributes = {"definition": trigger.definition, "enabled": trigger.enabled, "comment": trigger.comment}
        yield "trigger", trigger.name, attributes
    for policy in table.policies:
        yield (
            "policy",
            policy.name,
            {
                "command": policy.command,
                "permissive": _flags(permissive=policy.permissive),
                "roles": ", ".join(policy.roles),
                "using": policy.using,
                "check": policy.check,
                "comment": policy.comment,
            },
        )
    for rule in table.rules:
        yield "rule", rule.name, {"definition": rule.definition, "enabled": rule.enabled}


def _constraint(table: Table, constraint: Constraint) -> Iterator[tuple[str, str, Attributes]]:
    """Yield a constraint; a NOT NULL (18) under its column, since its name is kept when either is renamed."""
    if constraint.kind == "n":
        yield "not null", table.names(constraint.columns)[0], {"definition": constraint.definition}
    elif constraint.kind != "f" or table.partition or not constraint.inherited:
        yield "constraint", constraint.name, {"definition": constraint.definition, "comment": constraint.comment}


def _flags(**flags: bool) -> str:
    """Return the names of the flags that are set."""
    return ", ".join(name for name, is_set in flags.items() if is_set)


def _sequences(snapshot: Snapshot) -> Iterator[tuple[tuple[str, str], _Described]]:
    """Yield sequences; one that belongs to a column is listed with its table only."""
    for sequence in snapshot.sequences:
        table = snapshot.by_oid.get(sequence.owner_table)
        column = table.by_number[sequence.owner_column].name if table else None
        yield (
            ("sequence", sequence.qualified),
            _Described(
                {
                    "type": sequence.type,
                    "range": f"{sequence.minimum} to {sequence.maximum} by {sequence.increment} from {sequence.start}",
                    "cache": str(sequence.cache),
                    "cycle": _flags(cycle=sequence.cycle),
                    "owner": sequence.owner,
                    "owned by": f"{table.qualified}.{column}" if table else None,
                    "grants": ", ".join(sequence.acl),
                    "persistence": sequence.persistence,
                    "comment": sequence.comment,
                },
                (KINDS[table.kind], table.qualified) if table else None,
            ),
        )


def _functions(snapshot: Snapshot) -> Iterator[tuple[tuple[str, str], _Described]]:
    """Yield functions under their argument types."""
    for function in snapshot.functions:
        yield (
            ("function", function.qualified),
            _Described(
                {
                    "definition": function.definition,
                    "owner": function.owner,
                    "grants": ", ".join(function.acl),
                    "comment": function.comment,
                }
            ),
        )


def _types(snapshot: Snapshot) -> Iterator[tuple[tuple[str, str], _Described]]:
    """Yield enums, domains, composites and ranges."""
    for item in snapshot.types:
        checks = [f"{name} {text}" + ("" if valid else " NOT VALID") for name, text, valid in item.checks]
        yield (
            ("type", item.qualified),
            _Described(
                {
                    "kind": item.kind,
                    "definition": item.definition,
                    "labels": ", ".join(map(repr, item.labels)),
                    "nullability": "NOT NULL" if item.not_null else "NULL",
                    "default": item.default,
                    "checks": "; ".join(checks),
                    "owner": item.owner,
                    "grants": ", ".join(item.acl),
                    "comment": item.comment,
                }
            ),
        )
