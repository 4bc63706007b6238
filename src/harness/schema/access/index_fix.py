"""The index that a scan of a statement lacks, or what to change where no index on its columns helps."""

from __future__ import annotations

import re

from harness.catalog import Table
from harness.schema.access.plans import PlanNode
from harness.schema.alembic_code import create_index
from harness.sql.operations import Code, source
from harness.sql.quoting import identifier

COMPARISON = r"(?:=|<|>|<=|>=)"
CASE = re.compile(r"\b((lower|upper)\(+([^()]+)\)*(?:::text)?\)) = ")
"""An expression of one column that an index can have."""
NO_INDEX = (
    "no B-tree index serves this condition: compare the column itself by =, <, > or IN, with a value of its type; "
    "@>, @@ and LIKE '%…%' (pg_trgm) need a GIN index"
)
OPTIONAL = "no index serves this OR: leave an optional filter out of the statement when it has no value"


def index_fix(node: PlanNode, plan: PlanNode, table: Table, columns: list[str], condition: str) -> str:
    """Return the index that finds the rows of a scan in the order that the plan needs.

    Columns compared by `=` come first, then the order, then ranges: behind a range an index keeps no order.
    """
    alias = identifier(node["Alias"])
    compared = [name for name in columns if _compared(f"{alias}.{identifier(name)}", condition, table, name)]
    lost = citext_as_text(table, columns, condition)
    if lost:
        return f"declare {lost} as CITEXT in the model, or compare it with cast(value, CITEXT)"
    if " OR " in condition:
        return _alternatives(table, alias, compared, condition)
    cased = CASE.search(condition)
    if not compared and cased and cased[3].startswith(f"{alias}."):
        column, expression = cased[3].removeprefix(f"{alias}.").strip('"'), cased[1].replace(f"{alias}.", "")
        return create_index(table, [Code(f"sa.text({source(expression)})")], f"{cased[2]}_{column}")
    equal = [name for name in compared if re.search(rf"{_plain(f'{alias}.{identifier(name)}')} = (?!ANY)", condition)]
    keys = list(dict.fromkeys([*equal, *(_order(node, plan, table) if equal else ()), *compared]))
    return create_index(table, keys) if keys and not _exists(table, keys) else NO_INDEX


def citext_as_text(table: Table, columns: list[str], condition: str) -> str:
    """Return the column that is citext and is cast, the most common reason why an index on citext is not used."""
    lost = (name for name in columns if table.by_name[name].base == "citext")
    return next((name for name in lost if re.search(rf"\b{re.escape(name)}\"?\)?::", condition)), "")


def _plain(full: str) -> str:
    """A pattern for a column that is no argument of a function; varchar is compared as text."""
    name = re.escape(full)
    return rf"(?:\({name}\)::[\w ]+|(?<![\w.\"])(?<!\w\(){name})"


def _compared(full: str, condition: str, table: Table, name: str) -> bool:
    """Return whether a condition compares a column as a B-tree index does."""
    plain = _plain(full)
    pattern = rf"{plain} {COMPARISON} |{plain} IS (?:NOT )?NULL| {COMPARISON} {plain}"
    if table.by_name[name].base == "bool":
        pattern += rf"|{plain}(?! )|(?:NOT|AND) {plain}|{plain} AND"
    return bool(re.search(pattern, condition))


def _alternatives(table: Table, alias: str, compared: list[str], condition: str) -> str:
    """An index for each column: of alternatives, each needs its own."""
    if not all(f"{alias}." in part for part in condition.split(" OR ")):
        return OPTIONAL
    return "\n".join(create_index(table, [name]) for name in compared if not _exists(table, [name])) or NO_INDEX


def _exists(table: Table, keys: list[str]) -> bool:
    """Return whether an index begins with these columns."""
    return any(index.total and table.names(index.columns)[: len(keys)] == tuple(keys) for index in table.indexes)


def _order(node: PlanNode, plan: PlanNode, table: Table) -> list[str]:
    """The columns in whose order the rows of a scan are needed; none where an index in one direction has no such order.

    The plan walks an index in that order, or sorts.
    """
    walked = next((index for index in table.indexes if index.name == node["Index Name"]), None)
    if walked:
        return list(table.names(walked.columns)) if walked.total and " = " not in node["Index Cond"] else []
    sorts = (above.fields["Sort Key"] for above in plan.walk() if above["Sort Key"] and node in above.walk())
    keys: list[str] = next(sorts, [])
    directions = {key.endswith(" DESC") for key in keys}
    full = {f"{identifier(node['Alias'])}.{identifier(column.name)}": column.name for column in table.columns}
    names = [full.get(key.removesuffix(" DESC"), "") for key in keys]
    return names if len(directions) == 1 and all(names) else []
