"""The privileges of a database, which CREATE DATABASE does not copy: owner, grants, settings and comment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

LISTS = {
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
}
"""Settings whose stored value is a list of quoted names (guc.h, GUC_LIST_QUOTE; pg_dump keeps the same list)."""

READ_DATABASE = """
SELECT datdba::regrole::text AS owner, datdba = current_user::regrole AS mine, datacl IS NOT NULL AS guarded,
       shobj_description(oid, 'pg_database') AS comment
FROM pg_database WHERE datname = %s
"""
READ_GRANTS = """
SELECT privilege_type, CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END, is_grantable
FROM pg_database, aclexplode(datacl) WHERE datname = %s
"""
READ_SETTINGS = """
SELECT CASE WHEN setrole <> 0 THEN pg_get_userbyid(setrole) END, split_part(line, '=', 1),
       substr(line, strpos(line, '=') + 1)
FROM pg_db_role_setting JOIN pg_database ON setdatabase = pg_database.oid, unnest(setconfig) AS line
WHERE datname = %s
"""


@dataclass(frozen=True, slots=True)
class Privileges:
    """The privileges on one database; `statements` gives them to another."""

    owner: str | None
    guarded: bool
    comment: str | None
    grants: tuple[tuple[str, str | None, bool], ...]
    settings: tuple[tuple[str | None, str, str], ...]

    def statements(self, name: str) -> sql.Composed:
        """Return the statements, as one text, that give the new database `name` these privileges."""
        database = sql.Identifier(name)
        parts: list[sql.Composable] = []
        if self.owner:
            parts.append(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, sql.SQL(self.owner)))
        if self.guarded:
            parts.append(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        parts += [_grant(database, *grant) for grant in self.grants]
        parts += [_setting(database, *setting) for setting in self.settings]
        if self.comment is not None:
            parts.append(sql.SQL("COMMENT ON DATABASE {} IS {}").format(database, sql.Literal(self.comment)))
        return sql.SQL("; ").join(parts)


def read_privileges(session: psycopg.Connection[Any], name: str) -> Privileges:
    """Read the privileges on the database `name`."""
    row = session.execute(READ_DATABASE, [name]).fetchone()
    owner, mine, guarded, comment = row or (None, True, False, None)
    return Privileges(
        owner=None if mine else owner,
        guarded=guarded,
        comment=comment,
        grants=tuple(session.execute(READ_GRANTS, [name]).fetchall()),
        settings=tuple(session.execute(READ_SETTINGS, [name]).fetchall()),
    )


def _grant(database: sql.Identifier, privilege: str, grantee: str | None, grantable: bool) -> sql.Composed:
    return sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(
        sql.SQL(privilege),
        database,
        sql.Identifier(grantee) if grantee else sql.SQL("PUBLIC"),
        sql.SQL(" WITH GRANT OPTION" if grantable else ""),
    )


def _setting(database: sql.Identifier, role: str | None, name: str, value: str) -> sql.Composed:
    target = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), database) if role else None
    return sql.SQL("ALTER {} SET {} TO {}").format(
        target or sql.SQL("DATABASE {}").format(database),
        sql.SQL(".").join(map(sql.Identifier, name.split("."))),
        sql.SQL(", ").join(map(sql.Literal, _names(value))) if name in LISTS else sql.Literal(value),
    )


def _names(value: str) -> list[str]:
    """Return the names in the stored value of a list, without their quotes."""
    found = re.findall(r'"((?:[^"]|"")*)"|([^\s,"]+)', value)
    return [quoted.replace('""', '"') or plain for quoted, plain in found] or [""]
