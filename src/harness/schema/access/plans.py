"""Generic plans of statements, with everything but index look-ups made unattractive.

PREPARE with the types that the client sends, `plan_cache_mode = force_generic_plan` and null arguments give the plan
that Postgres would cache, on every version from 14 on. EXPLAIN (GENERIC_PLAN) of 16 gives the same but has no place for
the types, and a citext column compared with a varchar parameter is one of the things to find. Nothing is executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

from harness.errors import HarnessError

SETTINGS = """
SELECT set_config('search_path', current_setting('harness.path'), true), set_config('jit', 'off', true),
  set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
  set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
  set_config('enable_material', 'off', true), set_config('enable_memoize', 'off', true),
  set_config('max_parallel_workers_per_gather', '0', true)
"""
ORDERED = """
SELECT set_config('enable_sort', 'off', true), set_config('enable_indexscan', 'on', true),
  set_config('enable_indexonlyscan', 'on', true)
"""
"""Rows come in the order of an index where one has it."""
FILTERED = """
SELECT set_config('enable_sort', 'on', true), set_config('enable_indexscan', 'off', true),
  set_config('enable_indexonlyscan', 'off', true)
"""
"""Rows are found by bitmaps, which need a condition and give no order, and then sorted."""
TYPES = """
SELECT string_agg(CASE oid WHEN 0 THEN 'unknown' ELSE format_type(oid, NULL) END, ', ' ORDER BY place)
FROM unnest(%s::oid[]) WITH ORDINALITY AS given(oid, place)
"""
PLANNED = re.compile(r"^\s*(?:select|insert|update|delete|merge|with|values|table)\b", re.IGNORECASE)
PARAMETER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class RouteStatement:
    """A statement as sent: `$1` for parameters, their type OIDs (0 for unknown), and the endpoints that sent it."""

    text: str
    types: tuple[int, ...] = ()
    routes: tuple[str, ...] = ()

    @property
    def planned(self) -> bool:
        """Return whether Postgres makes a plan for it: BEGIN and SET have none."""
        return bool(PLANNED.match(self.text))

    @property
    def route(self) -> str:
        """The first endpoint, or a word for none."""
        return min(self.routes, default="statement")


@dataclass(frozen=True, slots=True)
class PlanNode:
    """A node of a plan: EXPLAIN's own fields, and the nodes below it."""

    fields: dict[str, Any]
    below: tuple[PlanNode, ...] = field(default=())

    def __getitem__(self, name: str) -> str:
        """A field of EXPLAIN, empty when the node has none."""
        return str(self.fields.get(name, ""))

    def walk(self) -> Iterator[PlanNode]:
        """Yield this node and all below it."""
        yield self
        for node in self.below:
            yield from node.walk()


def generic_plan(cursor: psycopg.Cursor[Any], statement: RouteStatement, scans: str = ORDERED) -> PlanNode:
    """Return the generic plan of `statement`; `cursor` is in a transaction with `SETTINGS`, to which `scans` are added.

    Raises:
        HarnessError: when the server cannot plan it, with the server's words.
    """
    count = max(map(int, PARAMETER.findall(statement.text)), default=0)
    given = [*statement.types, *[0] * count][:count]
    arguments, nulls = "", ""
    cursor.execute(scans)
    try:
        with cursor.connection.transaction():
            if count:
                named = cursor.execute(TYPES, (given,)).fetchone()
                arguments, nulls = f" ({named[0] if named else ''})", f" ({', '.join(['NULL'] * count)})"
            cursor.execute(f"PREPARE harness_plan{arguments} AS {statement.text}".encode())
            row = cursor.execute(f"EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE harness_plan{nulls}".encode()).fetchone()
    except psycopg.Error as error:
        text = " ".join(str(error).split())
        raise HarnessError(
            f"there is no plan for a statement of {statement.route}: {text}",
            looked_at=statement.text,
            remedy="record the statements again, or let the role run them",
        ) from error
    finally:
        if cursor.execute("SELECT FROM pg_prepared_statements WHERE name = 'harness_plan'").rowcount:
            cursor.execute("DEALLOCATE harness_plan")
    return _node(row[0][0]["Plan"]) if row else PlanNode({})


def _node(fields: dict[str, Any]) -> PlanNode:
    """The tree of EXPLAIN's JSON."""
    return PlanNode(fields, tuple(_node(below) for below in fields.get("Plans", ())))
