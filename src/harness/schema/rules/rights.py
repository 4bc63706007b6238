"""Functions, grants and triggers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.catalog import Snapshot
from harness.rules import Breach, rule
from harness.schema.alembic_code import fix
from harness.sql.operations import execute
from harness.sql.quoting import identifier, qualified


def public_rights(acl: Iterable[str]) -> str:
    """Return the letters of what PUBLIC may do: an entry without a grantee, `=r/owner`."""
    return "".join(entry[1:].partition("/")[0] for entry in acl if entry.startswith("="))


@rule("security-definer-without-search-path", "error", "A SECURITY DEFINER function sets its search_path")
def security_definer_without_search_path(snapshot: Snapshot) -> Iterator[Breach]:
    """Find SECURITY DEFINER functions without a search_path.

    Why: a caller can put a schema with tables or operators of the same names first in search_path, and the function
        uses them with the owner's rights
    Fix: SET search_path = '' (or pg_catalog, pg_temp) on the function
    """
    for function in snapshot.functions:
        if function.security_definer and not any(item.startswith("search_path=") for item in function.settings):
            yield Breach(
                function.qualified,
                f"SECURITY DEFINER as {function.owner}, search_path from the caller",
                fix(execute(f"ALTER FUNCTION {qualified(function)} SET search_path = ''")),
            )


@rule("security-definer-public-execute", "warning", "A SECURITY DEFINER function is granted to the roles that need it")
def security_definer_public_execute(snapshot: Snapshot) -> Iterator[Breach]:
    """Find SECURITY DEFINER functions that PUBLIC may execute, which is the default.

    Why: every role of the cluster may run the function with the owner's rights, because EXECUTE is granted to PUBLIC by
        default
    Fix: REVOKE EXECUTE ... FROM PUBLIC, then grant it to one role
    """
    for function in snapshot.functions:
        if function.security_definer and "X" in public_rights(function.acl):
            yield Breach(
                function.qualified,
                f"PUBLIC may execute it as {function.owner}",
                fix(execute(f"REVOKE EXECUTE ON FUNCTION {qualified(function)} FROM PUBLIC")),
            )


@rule("grant-to-public", "error", "Privileges are granted to roles, not to PUBLIC")
def grant_to_public(snapshot: Snapshot) -> Iterator[Breach]:
    """Find privileges of PUBLIC on tables, views, columns and sequences.

    Why: every role of the cluster has them, also roles that are created later for another purpose
    Fix: REVOKE ... FROM PUBLIC, and grant them to a role
    """
    for table in snapshot.relations:
        if not table.partition and (rights := public_rights(table.acl)):
            revoke = f"REVOKE ALL ON {qualified(table)} FROM PUBLIC"
            yield Breach(table.qualified, f"PUBLIC has {rights}", fix(execute(revoke)))
        for column in table.columns:
            if not table.partition and (rights := public_rights(column.acl)):
                revoke = f"REVOKE ALL ({identifier(column.name)}) ON {qualified(table)} FROM PUBLIC"
                yield Breach(f"{table.qualified}.{column.name}", f"PUBLIC has {rights}", fix(execute(revoke)))
    for sequence in snapshot.sequences:
        if rights := public_rights(sequence.acl):
            revoke = f"REVOKE ALL ON SEQUENCE {qualified(sequence)} FROM PUBLIC"
            yield Breach(sequence.qualified, f"PUBLIC has {rights}", fix(execute(revoke)))


@rule("schema-public-create", "error", "PUBLIC cannot create objects")
def schema_public_create(snapshot: Snapshot) -> Iterator[Breach]:
    """Find schemas in which PUBLIC may create objects.

    Why: any role that can connect may add functions and tables to a schema that others search (the default before 15)
    Fix: REVOKE CREATE ON SCHEMA ... FROM PUBLIC
    """
    for schema in snapshot.schemas:
        if "C" in public_rights(schema.acl):
            revoke = f"REVOKE CREATE ON SCHEMA {identifier(schema.name)} FROM PUBLIC"
            yield Breach(schema.name, "PUBLIC may create objects in the schema", fix(execute(revoke)))


@rule("trigger-disabled", "error", "Every trigger is enabled")
def trigger_disabled(snapshot: Snapshot) -> Iterator[Breach]:
    """Find disabled triggers, also those of foreign keys.

    Why: what the trigger guarantees does not hold for any write; without its triggers a foreign key checks nothing
    Fix: ALTER TABLE ... ENABLE TRIGGER, or drop it
    """
    for table in snapshot.roots:
        for name in dict.fromkeys(trigger.name for trigger in table.triggers if trigger.enabled == "D"):
            inside = any(trigger.name == name and trigger.definition is None for trigger in table.triggers)
            what = "the foreign key's triggers are" if inside else "the trigger is"
            target = "ALL" if inside else identifier(name)
            yield Breach(
                f"{table.qualified}.{name}",
                f"{what} disabled",
                fix(execute(f"ALTER TABLE {qualified(table)} ENABLE TRIGGER {target}")),
            )
