"""Whether an index serves a lookup by equality on a set of columns, and why the nearest one does not."""

from __future__ import annotations

from harness.catalog import Index, Table
from harness.sql.predicates import only_not_null


def serving(table: Table, columns: tuple[int, ...]) -> Index | None:
    """Return the first index of `table` that finds the rows with given values in all of `columns`, in any order."""
    return next((index for index in table.indexes if obstacle(table, index, columns) is None), None)


def obstacle(table: Table, index: Index, columns: tuple[int, ...]) -> str | None:
    """Return why `index` does not serve equality on all of `columns`; None when it does.

    The first keys must be these columns as a set: an equality on each lets a B-tree use any order. Included columns
    are not searched. A predicate may only say that one of the columns is not null, which `=` implies.
    """
    wanted, count = set(columns), len(columns)
    if set(index.columns[:count]) != wanted:
        return _misplaced(table, index, wanted)
    if not index.valid:
        return "is invalid, so no query uses it"
    if index.method not in ("btree", "hash", "gist"):
        return f"is {index.method.upper()}, which does not look up single values"
    if index.method == "gist" and not index.exclusion:
        return "is GiST without a constraint"
    if not only_not_null(index.predicate, table.names(columns)):
        return f"holds only the rows where {index.predicate}"
    for key in index.keys[:count]:
        column = table.by_number[key.number]
        if key.collation and key.collation != column.collation_oid:
            return f"sorts {column.name} by another collation than the column's"
    return None


def _misplaced(table: Table, index: Index, wanted: set[int]) -> str:
    """Why the keys of an index are not the wanted columns first."""
    lacking = [table.by_number[number].name for number in sorted(wanted - set(index.columns))]
    if not lacking:
        return f"begins with {index.keys[0].text}, so its entries for one value are scattered"
    if wanted & set(index.included):
        return f"carries {', '.join(lacking)} only in INCLUDE, which is not searched"
    if 0 in index.columns:
        return f"has an expression where {', '.join(lacking)} is needed"
    return f"has no key {', '.join(lacking)}"


def nearest(table: Table, columns: tuple[int, ...]) -> str:
    """Return which index is nearest to serving `columns`, and why it does not."""
    wanted = set(columns)
    names = ", ".join(table.names(columns))

    def closeness(index: Index) -> tuple[int, int, int]:
        leading = len(wanted & set(index.columns[: len(columns)]))
        return leading, len(wanted & set(index.columns)), len(wanted & set(index.included))

    touching = [index for index in table.indexes if any(closeness(index)) or _mentions(table, index, columns)]
    if not touching:
        return f"no index of {table.qualified} has {names} among its keys"
    best = max(touching, key=closeness)
    return (
        f"the nearest index {best.name} ({', '.join(key.text for key in best.keys)}) {obstacle(table, best, columns)}"
    )


def _mentions(table: Table, index: Index, columns: tuple[int, ...]) -> bool:
    """Return whether an expression of the index has one of the columns in its text."""
    texts = [key.text for key in index.keys if not key.number]
    return any(name in text for name in table.names(columns) for text in texts)
