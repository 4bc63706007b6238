"""Names and constants as SQL text, quoted where the server needs it."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from harness.catalog import InSchema

_WORDS = """
all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast
char character check coalesce collate collation column concurrently constraint create cross current_catalog
current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable
desc distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group
grouping having ilike in initially inner inout int integer intersect interval into is isnull join json json_array
json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value
lateral leading least left like limit localtime localtimestamp merge_action national natural nchar none normalize not
notnull null nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real
references returning right row select session_user setof similar smallint some substring symmetric system_user table
tablesample then time timestamp to trailing treat trim true union unique user using values varchar variadic verbose
when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot
xmlserialize xmltable
"""
KEYWORDS = frozenset(_WORDS.split())
"""The words of PostgreSQL 18 that quote_ident() quotes (manual, Appendix C: all but the non-reserved ones)."""

PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)


def needs_quotes(name: str, keywords: AbstractSet[str] = KEYWORDS) -> bool:
    """Return whether the server's quote_ident() changes the name."""
    return name in keywords or not PLAIN.fullmatch(name)


def identifier(*names: str) -> str:
    """Return a name, each of its parts quoted where needed: `public."order"`."""
    return ".".join('"' + name.replace('"', '""') + '"' if needs_quotes(name) else name for name in names)


def qualified(item: InSchema) -> str:
    """Return the name of an object with its schema, and of a routine with the types of its arguments."""
    arguments = getattr(item, "arguments", None)
    return identifier(item.schema, item.name) + (f"({arguments})" if arguments is not None else "")


def literal(text: str | None) -> str:
    """Return a string constant, or NULL, that is the same whether or not standard_conforming_strings is on."""
    if text is None:
        return "NULL"
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in quoted else quoted
