"""SQL for what Alembic has no operation for, from the snapshot's own texts."""

from __future__ import annotations

import re

from harness.catalog import Change, Column, Function, Policy, Sequence, Snapshot, Table, Type
from harness.sql.quoting import identifier, literal, qualified

PRIVILEGES = {
    "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "D": "TRUNCATE", "x": "REFERENCES", "t": "TRIGGER",
    "m": "MAINTAIN", "X": "EXECUTE", "U": "USAGE", "C": "CREATE",
}  # fmt: skip
COMMANDS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "*": "ALL"}
STORAGE = {"p": "PLAIN", "e": "EXTERNAL", "m": "MAIN", "x": "EXTENDED"}
COMPRESSION = {"p": "pglz", "l": "lz4"}
REPLICA_IDENTITY = {"d": "DEFAULT", "f": "FULL", "n": "NOTHING"}
ENABLED = {"O": "ENABLE", "D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
"""By the letters of the catalogue: pg_attribute, pg_class, pg_trigger."""
SQL_KINDS = {"partitioned table": "TABLE", "function": "ROUTINE"}
"""Kinds that SQL calls otherwise; of the rest the capitals are right."""
IN_SCHEMAS = ("collation", "operator", "statistics", "text search configuration")
"""Kinds of `Snapshot.others` whose names have a schema."""


def sql_kind(kind: str) -> str:
    """Return how a statement calls a kind of object."""
    return SQL_KINDS.get(kind, kind.upper())


def name_of(change: Change, snapshot: Snapshot) -> str:
    """Return the name of an object that hangs on no table, as SQL needs it."""
    items: list[Table | Sequence | Function | Type] = [*snapshot.relations, *snapshot.functions, *snapshot.types]
    items += snapshot.sequences
    found = (qualified(item) for item in items if item.qualified == change.name)
    return next(found, identifier(*change.name.split(".", 1 if change.kind in IN_SCHEMAS else 0)))


def grants(change: Change, target: str, columns: str = "") -> str:
    """Return the GRANT and REVOKE statements that lead from the rights before to those after."""
    before, after = (set(filter(None, (text or "").split(", "))) for text in (change.before, change.after))
    lines = [f"REVOKE {_rights(entry, columns)} ON {target} FROM {_grantee(entry)}" for entry in sorted(before - after)]
    lines += [f"GRANT {_rights(entry, columns)} ON {target} TO {_grantee(entry)}" for entry in sorted(after - before)]
    return "; ".join(lines)


def _rights(entry: str, columns: str) -> str:
    letters = entry.rpartition("=")[2].partition("/")[0]
    return ", ".join(PRIVILEGES[letter] + columns for letter in letters if letter in PRIVILEGES)


def _grantee(entry: str) -> str:
    """The role of an entry, which has quotes there for other signs than SQL asks for."""
    role = entry.rpartition("=")[0]
    return identifier(role.strip('"').replace('""', '"')) if role else "PUBLIC"


def create_policy(table: Table, policy: Policy) -> str:
    """Return CREATE POLICY as the catalogue knows it."""
    roles = ("PUBLIC" if role == "public" else identifier(role) for role in policy.roles)
    clauses = [
        f"CREATE POLICY {identifier(policy.name)} ON {qualified(table)}",
        "AS PERMISSIVE" if policy.permissive else "AS RESTRICTIVE",
        f"FOR {COMMANDS[policy.command]} TO {', '.join(roles)}",
        f"USING ({policy.using})" if policy.using else "",
        f"WITH CHECK ({policy.check})" if policy.check else "",
    ]
    return " ".join(filter(None, clauses))


def create_type(item: Type) -> str:
    """Return CREATE TYPE or CREATE DOMAIN."""
    name = qualified(item)
    if item.kind == "e":
        return f"CREATE TYPE {name} AS ENUM ({', '.join(map(literal, item.labels))})"
    if item.kind == "d":
        default = f" DEFAULT {item.default}" if item.default else ""
        checks = "".join(f" CONSTRAINT {identifier(check)} {text}" for check, text, _ in item.checks)
        return f"CREATE DOMAIN {name} AS {item.definition}{default}{' NOT NULL' if item.not_null else ''}{checks}"
    return f"CREATE TYPE {name} AS {'RANGE (SUBTYPE = ' if item.kind == 'r' else '('}{item.definition})"


def change_type(attribute: str, old: Type, wanted: Type) -> str:
    """Return ALTER TYPE for values that come last, ALTER DOMAIN, else a new type in place of the old one."""
    name = qualified(wanted)
    if attribute == "labels" and wanted.labels[: len(old.labels)] == old.labels:
        added = wanted.labels[len(old.labels) :]
        return "; ".join(f"ALTER TYPE {name} ADD VALUE {literal(label)}" for label in added)
    if attribute == "labels":
        return f"ALTER TYPE {name} RENAME TO ...; {create_type(wanted)}; ALTER TABLE ... ALTER COLUMN ... TYPE {name}"
    changes = {
        "nullability": [f"{'SET' if wanted.not_null else 'DROP'} NOT NULL"],
        "default": [f"SET DEFAULT {wanted.default}" if wanted.default else "DROP DEFAULT"],
        "checks": [
            *(f"DROP CONSTRAINT {identifier(name)}" for name, *_ in set(old.checks) - set(wanted.checks)),
            *(f"ADD CONSTRAINT {identifier(name)} {text}" for name, text, _ in set(wanted.checks) - set(old.checks)),
        ],
    }
    if attribute in changes:
        return "; ".join(f"ALTER DOMAIN {name} {change}" for change in changes[attribute])
    return f"ALTER TYPE {name} ...; {create_type(wanted)}"


def alter(change: Change, kind: str, name: str, action: str = "") -> str:
    """Return the statement that sets an attribute that all objects have, else ALTER with `action`."""
    if change.attribute == "grants":
        return grants(change, f"{kind} {name}")
    if change.attribute == "comment":
        return f"COMMENT ON {kind} {name} IS {literal(change.after)}"
    if change.attribute == "owner":
        action = f"OWNER TO {identifier(change.after or '')}"
    return f"ALTER {kind} {name} {action or f'... -- {change.attribute} {change.after}'}"


def change_table(change: Change, table: Table) -> str:
    """Return ALTER TABLE for what a table, a view or a materialized view is as a whole."""
    kind, name = sql_kind(change.kind), qualified(table)
    if change.attribute == "grants":
        return grants(change, name)
    if change.attribute == "definition":
        again = f"CREATE OR REPLACE {kind}" if change.kind == "view" else f"DROP {kind} {name}; CREATE {kind}"
        return f"{again} {name} AS {change.after}"
    index = next((identifier(item.name) for item in table.indexes if item.replica_identity), "...")
    before = re.sub("=[^,]*", "", change.before or "")
    actions = {
        "persistence": f"SET {'UNLOGGED' if table.persistence == 'u' else 'LOGGED'}",
        "options": ", ".join([f"RESET ({before})"] * bool(before) + [f"SET ({change.after})"] * bool(change.after)),
        "row security": f"{'ENABLE' if table.row_security else 'DISABLE'} ROW LEVEL SECURITY, "
        f"{'FORCE' if table.force_row_security else 'NO FORCE'} ROW LEVEL SECURITY",
        "tablespace": f"SET TABLESPACE {identifier(table.tablespace or 'pg_default')}",
        "replica identity": f"REPLICA IDENTITY {REPLICA_IDENTITY.get(table.replica_identity, f'USING INDEX {index}')}",
    }
    return alter(change, kind, name, actions.get(change.attribute, ""))


def change_column(change: Change, table: Table, column: Column) -> str:
    """Return ALTER TABLE for what a column is."""
    name = identifier(column.name)
    if change.attribute == "grants":
        return grants(change, qualified(table), f" ({name})")
    if change.attribute == "comment":
        return alter(change, "COLUMN", f"{qualified(table)}.{name}")
    generated = f"GENERATED {'ALWAYS' if column.identity == 'a' else 'BY DEFAULT'}"
    identity = f"SET {generated}" if change.before else f"ADD {generated} AS IDENTITY"
    actions = {
        "identity": identity if column.identity else "DROP IDENTITY",
        "collation": f"TYPE {column.type} COLLATE {column.collation or identifier('pg_catalog', 'default')}",
        "type": f"TYPE {column.type}",
        "nullability": f"{'SET' if column.not_null else 'DROP'} NOT NULL",
        "default": f"SET DEFAULT {column.default}" if column.default else "DROP DEFAULT",
        "storage": f"SET STORAGE {STORAGE[column.storage]}",
        "compression": f"SET COMPRESSION {COMPRESSION.get(column.compression, 'default')}",
    }
    return alter(change, "TABLE", qualified(table), f"ALTER COLUMN {name} {actions.get(change.attribute, '...')}")


def create_sequence(sequence: Sequence, snapshot: Snapshot) -> str:
    """Return CREATE SEQUENCE, which does nothing where the identity of its column has made it."""
    clauses = _clauses(sequence, snapshot)
    wanted = " ".join(clauses[key] for key in ("type", "range", "cache", "cycle", "owned by"))
    return f"CREATE SEQUENCE IF NOT EXISTS {qualified(sequence)} {wanted}"


def change_sequence(change: Change, sequence: Sequence, snapshot: Snapshot) -> str:
    """Return ALTER SEQUENCE; the owner is that of the table with its column."""
    table = snapshot.by_oid.get(sequence.owner_table)
    if table and change.attribute == "owner":
        return alter(change, "TABLE", qualified(table))
    return alter(change, "SEQUENCE", qualified(sequence), _clauses(sequence, snapshot).get(change.attribute, ""))


def _clauses(sequence: Sequence, snapshot: Snapshot) -> dict[str, str]:
    """What a sequence is, by attribute."""
    table = snapshot.by_oid.get(sequence.owner_table)
    owner = identifier(table.schema, table.name, table.by_number[sequence.owner_column].name) if table else "NONE"
    return {
        "type": f"AS {sequence.type}",
        "range": f"MINVALUE {sequence.minimum} MAXVALUE {sequence.maximum} INCREMENT {sequence.increment} "
        f"START {sequence.start}",
        "cache": f"CACHE {sequence.cache}",
        "cycle": "CYCLE" if sequence.cycle else "NO CYCLE",
        "owned by": f"OWNED BY {owner}",
        "persistence": f"SET {'UNLOGGED' if sequence.persistence == 'u' else 'LOGGED'}",
    }
