"""The indexes that a statement uses, and the tables that it scans, by its generic plan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

PLANNED = re.compile(r"\s*(select|insert|update|delete|merge|with|values|table)\b", re.IGNORECASE)
PARAMETER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Access:
    """The indexes used and the tables scanned; `unknown` says why there is no plan."""

    indexes: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    unknown: str = ""

    def __str__(self) -> str:
        """Return a cell of a table, the scans first."""
        scans = [f"scan of {name}" for name in self.scans]
        return ", ".join([*scans, *self.indexes]) or self.unknown or "no table"


def access(cursor: psycopg.Cursor[Any], text: str) -> Access:
    """Plan a statement for any values, and return what it reads; it is not executed.

    `cursor` must be in a transaction. PREPARE with force_generic_plan works in every supported version.
    """
    if not PLANNED.match(text):
        return Access(unknown="not planned")
    nulls = ", ".join(["NULL"] * max(map(int, PARAMETER.findall(text)), default=0))
    try:
        with cursor.connection.transaction(force_rollback=True):
            cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            cursor.execute(f"PREPARE harness_traffic AS {text}".encode())
            execute = f"EXECUTE harness_traffic({nulls})" if nulls else "EXECUTE harness_traffic"
            row = cursor.execute(f"EXPLAIN (FORMAT JSON) {execute}".encode()).fetchone()
    except psycopg.Error as error:
        return Access(unknown=f"no plan: {' '.join(str(error).split())[:100]}")
    finally:
        if cursor.execute("SELECT FROM pg_prepared_statements WHERE name = 'harness_traffic'").rowcount:
            cursor.execute("DEALLOCATE harness_traffic")
    nodes = list(_walk(row[0][0]["Plan"])) if row else []
    indexes = {str(node["Index Name"]) for node in nodes if "Index Name" in node}
    scans = {str(node["Relation Name"]) for node in nodes if node["Node Type"] == "Seq Scan"}
    return Access(tuple(sorted(indexes)), tuple(sorted(scans)))


def _walk(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _walk(below)
