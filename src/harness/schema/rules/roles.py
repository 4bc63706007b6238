"""Owners, extensions and the role of the application."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog import Function, Sequence, Snapshot, Table, Type
from harness.rules import Breach, rule
from harness.schema.alembic_code import fix
from harness.schema.options import Options
from harness.schema.rules.rights import public_rights
from harness.sql.operations import execute
from harness.sql.quoting import identifier, qualified


def _owned(snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    """Every object with its owner, and the statement that gives it another one."""
    kinds = {"r": "TABLE", "p": "TABLE", "v": "VIEW", "m": "MATERIALIZED VIEW"}
    kinds |= {"Sequence": "SEQUENCE", "Function": "ROUTINE", "Type": "TYPE"}
    for schema in snapshot.schemas:
        yield schema.name, schema.owner, f"ALTER SCHEMA {identifier(schema.name)} OWNER TO ..."
    items: list[Table | Sequence | Function | Type] = [*snapshot.relations, *snapshot.functions, *snapshot.types]
    items += [sequence for sequence in snapshot.sequences if not sequence.owner_table]
    for item in items:
        kind = kinds[item.kind] if isinstance(item, Table) else kinds[type(item).__name__]
        yield item.qualified, item.owner, f"ALTER {kind} {qualified(item)} OWNER TO ..."


@rule("owned-by-superuser", "warning", "No object is owned by a superuser", optional=True)
def owned_by_superuser(snapshot: Snapshot) -> Iterator[Breach]:
    """Find objects whose owner is a superuser.

    Why: SECURITY DEFINER functions, views and triggers run with the owner's rights, which here are unlimited
    Fix: ALTER ... OWNER TO a role that cannot log in
    """
    supers = {role.name for role in snapshot.roles if role.superuser}
    for name, owner, statement in _owned(snapshot):
        if owner in supers:
            yield Breach(name, f"{owner} owns it, a superuser", fix(execute(statement)))


@rule("app-role-can-ddl", "error", "The role of the application cannot change the schema", optional=True)
def app_role_can_ddl(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """Find the role of the option app-role if it is a superuser, bypasses policies, owns an object or may create one.

    Why: one SQL injection can drop tables, and objects that the application creates have no migration
    Fix: let another role own the objects; grant the application SELECT, INSERT, UPDATE and DELETE
    """
    role = next((item for item in snapshot.roles if item.name == options.app_role), None)
    if role is None:
        yield Breach(options.app_role or "app-role", "the option app-role names no role of this cluster")
        return
    mine = {role.name, *role.member_of}
    if role.superuser or role.bypass_row_security:
        rights = "SUPERUSER" if role.superuser else "BYPASSRLS"
        yield Breach(role.name, f"the role is {rights}", fix(execute(f"ALTER ROLE {identifier(role.name)} NO{rights}")))
    for name, owner, statement in _owned(snapshot):
        if owner in mine:
            yield Breach(name, f"{role.name} owns it, as {owner}", fix(execute(statement)))
    for schema in snapshot.schemas:
        creators = {_grantee(entry) for entry in schema.acl if "C" in entry.rpartition("=")[2].partition("/")[0]}
        if schema.owner not in mine and (mine & creators or "C" in public_rights(schema.acl)):
            statement = f"REVOKE CREATE ON SCHEMA {identifier(schema.name)} FROM ..."
            yield Breach(schema.name, f"{role.name} may create in the schema", fix(execute(statement)))


def _grantee(entry: str) -> str:
    """The role in an entry of rights, `"a role"=UC/owner`."""
    return entry.rpartition("=")[0].strip('"')


@rule("extension-missing", "error", "The extensions that the project needs are installed", optional=True)
def extension_missing(snapshot: Snapshot, options: Options) -> Iterator[Breach]:
    """Find extensions that the option extensions names and that are not installed.

    Why: types and operators that the models need are missing
    Fix: CREATE EXTENSION in a migration
    """
    present = {item.name for item in snapshot.extensions}
    for name in options.extensions:
        if name not in present:
            statement = f"CREATE EXTENSION {identifier(name)}"
            yield Breach(name, f"installed are {', '.join(sorted(present))}", fix(execute(statement)))


@rule("extension-outdated", "warning", "Extensions have the version of the server", optional=True)
def extension_outdated(snapshot: Snapshot) -> Iterator[Breach]:
    """Find extensions whose installed version is not the server's default version.

    Why: upgrading the server does not update extensions, so the fixes of the new version are not in effect
    Fix: ALTER EXTENSION ... UPDATE
    """
    for item in snapshot.extensions:
        if item.available and item.version != item.available:
            statement = f"ALTER EXTENSION {identifier(item.name)} UPDATE"
            yield Breach(item.name, f"{item.version} installed, {item.available} there", fix(execute(statement)))


@rule("extension-in-public", "warning", "Extensions have their own schema", optional=True)
def extension_in_public(snapshot: Snapshot) -> Iterator[Breach]:
    """Find extensions in the schema public.

    Why: their functions mix with those of the project, in a schema that is on every search_path
    Fix: CREATE SCHEMA extensions; ALTER EXTENSION ... SET SCHEMA extensions
    """
    for item in snapshot.extensions:
        if item.schema == "public":
            move = execute(f"ALTER EXTENSION {identifier(item.name)} SET SCHEMA extensions")
            repair = f"{execute('CREATE SCHEMA IF NOT EXISTS extensions')}\n{move}"
            yield Breach(item.name, "installed in public", fix(repair))
