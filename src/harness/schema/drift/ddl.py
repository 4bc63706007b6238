"""SQL for what Alembic has no operation for, from the snapshot's own texts."""

from __future__ import annotations

from harness.catalog import Change, Policy, Table, Type
from harness.sql.quoting import identifier, qualified

PRIVILEGES = {
    "r": "SELECT",
    "a": "INSERT",
    "w": "UPDATE",
    "d": "DELETE",
    "D": "TRUNCATE",
    "x": "REFERENCES",
    "t": "TRIGGER",
    "m": "MAINTAIN",
    "X": "EXECUTE",
    "U": "USAGE",
    "C": "CREATE",
}
COMMANDS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "*": "ALL"}
SQL_KINDS = {"partitioned table": "TABLE", "rule": "RULE"}
"""Kinds that SQL calls otherwise; of the rest the capitals are right."""


def sql_kind(kind: str) -> str:
    """How a statement calls a kind of object."""
    return SQL_KINDS.get(kind, kind.upper())


def quoted(name: str) -> str:
    """A dotted name as SQL needs it; the arguments of a function stay as they are."""
    name, bracket, arguments = name.partition("(")
    return ".".join(identifier(part) for part in name.split(".")) + bracket + arguments


def grants(change: Change, target: str) -> str:
    """GRANT and REVOKE statements that lead from the rights before to those after."""
    before, after = (set(filter(None, (text or "").split(", "))) for text in (change.before, change.after))
    lines = [f"REVOKE {_rights(entry)} ON {target} FROM {_grantee(entry)}" for entry in sorted(before - after)]
    lines += [f"GRANT {_rights(entry)} ON {target} TO {_grantee(entry)}" for entry in sorted(after - before)]
    return "; ".join(lines)


def _rights(entry: str) -> str:
    letters = entry.rpartition("=")[2].partition("/")[0]
    return ", ".join(PRIVILEGES[letter] for letter in letters if letter in PRIVILEGES)


def _grantee(entry: str) -> str:
    return entry.rpartition("=")[0] or "PUBLIC"


def create_policy(table: Table, policy: Policy) -> str:
    """CREATE POLICY as the catalogue knows it."""
    clauses = [
        f"CREATE POLICY {identifier(policy.name)} ON {qualified(table)}",
        "AS PERMISSIVE" if policy.permissive else "AS RESTRICTIVE",
        f"FOR {COMMANDS[policy.command]} TO {', '.join(policy.roles)}",
        f"USING ({policy.using})" if policy.using else "",
        f"WITH CHECK ({policy.check})" if policy.check else "",
    ]
    return " ".join(filter(None, clauses))


def create_type(item: Type) -> str:
    """CREATE TYPE or CREATE DOMAIN."""
    name = quoted(item.qualified)
    if item.kind == "e":
        labels = ", ".join(f"'{label}'" for label in item.labels)
        return f"CREATE TYPE {name} AS ENUM ({labels})"
    if item.kind == "d":
        default = f" DEFAULT {item.default}" if item.default else ""
        checks = "".join(f" CONSTRAINT {identifier(check)} {text}" for check, text, _ in item.checks)
        return f"CREATE DOMAIN {name} AS {item.definition}{default}{' NOT NULL' if item.not_null else ''}{checks}"
    return f"CREATE TYPE {name} AS {'RANGE' if item.kind == 'r' else ''}({item.definition})"


def change_type(change: Change, wanted: Type) -> str:
    """ALTER TYPE for values that come last, else a new type in place of the old one."""
    name = quoted(wanted.qualified)
    before, after = (text.split(", ") if text else [] for text in (change.before, change.after))
    if change.attribute == "labels" and after[: len(before)] == before:
        return "; ".join(f"ALTER TYPE {name} ADD VALUE {label}" for label in after[len(before) :])
    if change.attribute == "labels":
        return f"ALTER TYPE {name} RENAME TO ...; {create_type(wanted)}; ALTER TABLE ... ALTER COLUMN ... TYPE {name}"
    if wanted.kind == "d":
        return f"ALTER DOMAIN {name} SET {change.attribute.upper()} {change.after}"
    return f"ALTER TYPE {name} ...; {create_type(wanted)}"


def change_table(change: Change, table: Table) -> str:
    """ALTER TABLE for what a table, a view or a materialized view is as a whole."""
    alter = f"ALTER {sql_kind(change.kind)} {qualified(table)}"
    security = {
        "": "DISABLE ROW LEVEL SECURITY",
        "enabled": "ENABLE ROW LEVEL SECURITY",
        "enabled, forced": "FORCE ROW LEVEL SECURITY",
    }
    known = {
        "owner": f"{alter} OWNER TO {identifier(change.after or '')}",
        "persistence": f"{alter} SET {'UNLOGGED' if change.after == 'u' else 'LOGGED'}",
        "options": f"{alter} SET ({change.after or '...'})",
        "row security": f"{alter} {security.get(change.after or '', 'FORCE ROW LEVEL SECURITY')}",
        "definition": f"CREATE OR REPLACE {sql_kind(change.kind)} {qualified(table)} AS {change.after}",
        "comment": f"COMMENT ON {sql_kind(change.kind)} {qualified(table)} IS {literal(change.after)}",
        "tablespace": f"{alter} SET TABLESPACE {change.after or 'pg_default'}",
        "replica identity": f"{alter} REPLICA IDENTITY ...",
    }
    if change.attribute == "grants":
        return grants(change, qualified(table))
    return known.get(change.attribute, f"{alter} ... -- {change.attribute} {change.after}")


def change_sequence(change: Change) -> str:
    """ALTER SEQUENCE."""
    name = quoted(change.name)
    if change.attribute == "grants":
        return grants(change, f"SEQUENCE {name}")
    clauses = {"type": "AS", "cache": "CACHE", "owned by": "OWNED BY", "owner": "OWNER TO"}
    return (
        f"ALTER SEQUENCE {name} {clauses.get(change.attribute, '... -- ' + change.attribute)} {change.after or 'NONE'}"
    )


def literal(text: str | None) -> str:
    """A string as SQL writes it."""
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"
