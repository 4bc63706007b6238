"""Renames all objects of an example to names that must be quoted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

WORDS = """
order user select end table group desc check default primary from to in all limit not or and both case cast do else
fetch for grant having into join left like null offset on only then true union using when where with
"""

WITHIN = "n.nspname IN ('s', 's2')"
OBJECTS = {
    "type": f"""
        SELECT format('TYPE %I.%I', n.nspname, t.typname), t.typname
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
        WHERE {WITHIN} AND (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c')""",
    "function": f"""
        SELECT format('ROUTINE %s', p.oid::regprocedure), p.proname
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE {WITHIN} AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'i')""",
    "part": f"""
        SELECT format(kind, part, c.oid::regclass), part
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL (
          SELECT 'TRIGGER %I ON %s', tgname FROM pg_trigger
          WHERE tgrelid = c.oid AND NOT tgisinternal AND tgparentid = 0
          UNION ALL SELECT 'POLICY %I ON %s', polname FROM pg_policy WHERE polrelid = c.oid
          UNION ALL SELECT 'RULE %I ON %s', rulename FROM pg_rewrite WHERE ev_class = c.oid AND rulename <> '_RETURN'
          UNION ALL SELECT 'TABLE %2$s RENAME CONSTRAINT %1$I', conname FROM pg_constraint
          WHERE conrelid = c.oid AND coninhcount = 0 AND contype <> 'n' AND contype <> 't') p (kind, part)
        WHERE {WITHIN}""",
    "column": f"""
        SELECT format('TABLE %s RENAME COLUMN %I', c.oid::regclass, a.attname), a.attname
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {WITHIN} AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attinhcount = 0""",
    "relation": f"""
        SELECT format('TABLE %s', c.oid::regclass), c.relname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {WITHIN} AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i', 'I')
        AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = c.oid AND o.contype IN ('p', 'u', 'x'))""",
    "schema": f"SELECT format('SCHEMA %I', n.nspname), n.nspname FROM pg_namespace n WHERE {WITHIN}",
}  # fmt: skip
"""By kind, what follows ALTER, and the name as it is."""

Rename = Callable[[str], str]


def mixed(name: str) -> str:
    """Return a name with a capital and a blank."""
    return f"X {name}"


def reserved() -> Rename:
    """Return a function that gives each name a word of SQL."""
    known: dict[str, str] = {}
    return lambda name: known.setdefault(name, WORDS.split()[len(known)])


def rename(session: psycopg.Connection[Any], name: Rename, kept: tuple[str, ...]) -> None:
    """Rename the objects of the schemas s and s2, and these; those of the kinds `kept` keep their names."""
    for kind, query in OBJECTS.items():
        for target, known in session.execute(query.encode()).fetchall() if kind not in kept else ():
            statement = sql.SQL("ALTER {} {}TO {}")
            rename = sql.SQL("" if " RENAME " in target else "RENAME ")
            session.execute(statement.format(sql.SQL(f"{target} "), rename, sql.Identifier(name(known))))
