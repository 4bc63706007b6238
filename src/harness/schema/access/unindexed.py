"""Statements of the application."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg

from harness.catalog import Index, Snapshot, Table, read_only
from harness.findings import Finding
from harness.rules import Breach, rule
from harness.schema.access.index_fix import citext_as_text, index_fix
from harness.schema.access.plans import FILTERED, ORDERED, SETTINGS, PlanNode, RouteStatement, generic_plan
from harness.sql.lexer import Tokens, fold, statements
from harness.sql.quoting import needs_quotes

SCANS = ("Seq Scan", "Sample Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan")

BITMAPS = ("Bitmap Index Scan", "BitmapOr", "BitmapAnd")


def unindexed(
    connection: psycopg.Connection[Any], snapshot: Snapshot, statements: Iterable[RouteStatement]
) -> list[Finding]:
    """Return what the rules about statements find in `statements`, planned in the database of `connection`.

    The role must have the rights that the statements need. Nothing is executed, and the transaction is READ ONLY.

    Raises:
        HarnessError: for a statement that the server cannot plan.
    """
    found: dict[tuple[str, str], Finding] = {}
    row = connection.execute("SELECT current_setting('search_path')").fetchone()
    if not connection.autocommit:
        connection.rollback()
    with read_only(connection) as cursor:
        cursor.execute("SELECT set_config('harness.path', %s, true)", (row[0] if row else "public",))
        cursor.execute(SETTINGS)
        for statement in statements:
            if statement.planned:
                filtered = generic_plan(cursor, statement, FILTERED)
                plan = generic_plan(cursor, statement, ORDERED)
                for finding in (
                    *query_without_index(plan, filtered, statement, snapshot),
                    *needless_join(plan, statement, snapshot),
                ):
                    found.setdefault((finding.rule.id, finding.object), finding)
    return list(found.values())


@rule("query-without-index", "error", "Every filter and join of a query can use an index")
def query_without_index(
    plan: PlanNode, filtered: PlanNode, statement: RouteStatement, snapshot: Snapshot
) -> Iterator[Breach]:
    """Find filters and joins of sent statements that no index look-up serves in the generic plan.

    The bound of a page alone (`id < $1`, in the order of the list) is no look-up for another column's filter. Where an
    index gives the order, an index on the filter's columns is enough too: it finds the rows, which are then sorted.

    Why: the statement reads a whole table each time, so it becomes slower with every row
    Fix: add an index that begins with the compared columns, or compare columns that have one
    """
    paged = [node for limit in plan.walk() if _is_page(limit) for node in limit.walk()]
    for node in plan.walk():
        condition = _condition(node) if node["Node Type"] in SCANS else ""
        lacking = condition and (not _served(node, snapshot) or (node in paged and _only_bounded(node)))
        if lacking and not _found_then_sorted(node, filtered, snapshot):
            yield from _breach(node, plan, condition, statement, snapshot)
        if node["Join Filter"]:
            sides = [below for below in node.below if below["Parent Relationship"] == "Inner"]
            inner = [below for side in sides for below in side.walk() if below["Node Type"] in SCANS]
            if inner and not any(_served(below, snapshot) for below in inner):
                yield from _breach(inner[0], plan, node["Join Filter"], statement, snapshot)


def _condition(node: PlanNode) -> str:
    """What a scan's rows must satisfy, in the filter and in the index look-ups."""
    parts = [node["Filter"], node["Index Cond"], *map(_condition, _bitmaps(node))]
    return " AND ".join(dict.fromkeys(filter(None, parts)))


def _bitmaps(node: PlanNode) -> list[PlanNode]:
    """The bitmaps that a node is made from; what else is below it are subplans of its filter."""
    return [below for below in node.below if below["Node Type"] in BITMAPS]


def _served(node: PlanNode, snapshot: Snapshot, schema: str = "") -> bool:
    """Return whether a scan looks rows up by the first key of an index; of alternatives joined by OR, all of them."""
    schema = node["Schema"] or schema
    if node["Node Type"] in ("Bitmap Heap Scan", "BitmapOr"):
        return all(_served(below, snapshot, schema) for below in _bitmaps(node))
    if node["Node Type"] == "BitmapAnd":
        return any(_served(below, snapshot, schema) for below in _bitmaps(node))
    index = snapshot.indexes.get(f"{schema}.{node['Index Name']}")
    if index is None or not node["Index Cond"]:
        return False
    return _bare(index.keys[0].text) in _bare(node["Index Cond"])


def _found_then_sorted(node: PlanNode, filtered: PlanNode, snapshot: Snapshot) -> bool:
    """Return whether the filter of a scan in an index's order can be looked up in the plan that sorts instead."""
    if not node["Index Name"]:
        return False
    same = [scan for scan in filtered.walk() if scan["Node Type"] in SCANS and scan["Alias"] == node["Alias"]]
    return any(_served(scan, snapshot) and _looks_up(scan, node["Filter"], snapshot) for scan in same)


def _looks_up(scan: PlanNode, condition: str, snapshot: Snapshot) -> bool:
    """Return whether a scan finds rows by a column of `condition`, not by another one such as a join's."""
    names = {f"{scan['Schema']}.{node['Index Name']}" for node in scan.walk() if node["Node Type"] in BITMAPS}
    indexes = filter(None, map(snapshot.indexes.get, names))
    return any(_bare(index.keys[0].text) in _bare(condition) for index in indexes)


_EQUALS = re.compile(r"(?<![<>!=@~])=(?![=>])")


def _is_page(node: PlanNode) -> bool:
    """Return whether a node takes its first rows in the order of an index."""
    return node["Node Type"] == "Limit" and not any("Sort" in below["Node Type"] for below in node.walk())


def _only_bounded(node: PlanNode) -> bool:
    """Return whether a scan skips rows until it has a page: it looks up a bound only, and filters by another value."""
    return bool(node["Index Cond"]) and not _EQUALS.search(node["Index Cond"]) and bool(_EQUALS.search(node["Filter"]))


_DECORATION = re.compile(r'::(?:"[^"]+"|[\w.])+(?:\[\])?|(?:"[^"]+"|\b[a-z_]\w*)\.|[()",]')


def _bare(text: str) -> str:
    """An expression without casts, brackets, commas, quotes and the names of relations, padded to match whole words."""
    return f" {' '.join(_DECORATION.sub(' ', text.replace(')::', '::')).split())} "


def _breach(
    node: PlanNode, plan: PlanNode, condition: str, statement: RouteStatement, snapshot: Snapshot
) -> Iterator[Breach]:
    """Yield what to say of one scan: statement, endpoint, and the index to add."""
    table = _scanned(node, snapshot)
    if table is None:
        return
    alias = node["Alias"]
    words = _bare(re.sub(rf"\b(?!{re.escape(alias)}\b)\w+\.\w+", "", condition))
    columns = [column.name for column in table.columns if f" {column.name} " in words]
    columns.sort(key=lambda name: _only_bounded(node) and f" {name} " in _bare(node["Index Cond"]))
    partial = _partial(table, columns)
    others = f" (and {len(statement.routes) - 1} more)" if len(statement.routes) > 1 else ""
    yield Breach(
        f"{statement.route} {table.qualified}({', '.join(columns)})",
        f"{statement.route}{others} filters {table.qualified} by {condition}: {node['Node Type']}"
        f"{_through(node)}{_cast(table, columns, condition)}"
        + (f"; only a plan for known values can use the partial index {partial.name}" if partial else ""),
        index_fix(node, plan, table, columns, condition) if columns else "",
        statement=statement.text,
        level="info" if partial and "$" in condition else None,
    )


def _through(node: PlanNode) -> str:
    """How far an index was used."""
    if not node["Index Name"]:
        return " of every row"
    if not node["Index Cond"]:
        return f" through all of {node['Index Name']}"
    if _only_bounded(node):
        return f" through {node['Index Name']} from the beginning of the page"
    return f" on {node['Index Name']} without its first key"


def _cast(table: Table, columns: list[str], condition: str) -> str:
    """Say that a column's index is lost to a cast."""
    lost = citext_as_text(table, columns, condition)
    return f"; {lost} is citext and is cast, because the parameter is bound as text" if lost else ""


def _partial(table: Table, columns: list[str]) -> Index | None:
    """Return a partial index whose predicate mentions one of the columns."""
    for index in table.indexes:
        if index.valid and index.predicate and any(f" {name} " in _bare(index.predicate) for name in columns):
            return index
    return None


def _scanned(node: PlanNode, snapshot: Snapshot) -> Table | None:
    """The table that a scan reads, when it is in scope."""
    return snapshot.by_name.get(f"{node['Schema']}.{node['Relation Name']}")


def _joined(tokens: Tokens) -> Iterator[tuple[str, str]]:
    """Yield the alias and the name of each table that follows FROM or JOIN; a comma may also separate columns."""
    for index, token in enumerate(tokens):
        if token in ("FROM", "JOIN"):
            rest = [*tokens[index + 1 : index + 8], "", "", ""]
            rest = rest[rest[0] == "ONLY" :]
            while rest[1] == ".":
                rest = rest[2:]
            alias = rest[2] if rest[1] == "AS" else rest[1]
            named = alias.endswith('"') or not needs_quotes(alias.lower())
            yield fold(alias if named else rest[0]), fold(rest[0])


@rule("needless-join", "warning", "A query joins only tables that it reads")
def needless_join(plan: PlanNode, statement: RouteStatement, snapshot: Snapshot) -> Iterator[Breach]:
    """Find tables that a sent statement joins and that its plan does not read.

    Why: the planner removes this join because nothing needs it; in other plans and versions it costs time
    Fix: remove the join from the statement
    """
    known = {table.name for table in snapshot.relations if table.kind in "rpm"}
    read = {re.sub(r"_\d+$", "", node["Alias"]) for node in plan.walk()} | {node["Alias"] for node in plan.walk()}
    pairs = [pair for tokens in statements(statement.text) for pair in _joined(tokens)]
    written = {alias: name for alias, name in pairs if name in known}
    if not written.keys() & read:
        return
    for alias, name in sorted(written.items()):
        if alias not in read:
            called = f" as {alias}" if alias != name else ""
            yield Breach(
                f"{statement.route} {alias}",
                f"{statement.route} joins {name}{called}, and the plan does without it",
                statement=statement.text,
            )
