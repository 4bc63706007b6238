"""The conditions on a row, as expressions that the server evaluates: CHECKs, domains, partition bounds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.catalog import Column, Index, Table
from harness.seed.values.column_types import ColumnTypes
from harness.sql.lexer import fold, scan
from harness.sql.quoting import identifier

_DOMAIN = re.compile(r"^CHECK \((?P<body>.*)\)(?: NOT VALID)?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Condition:
    """An `expression` that must not be false. `columns` are the numbers of the written columns that it depends on."""

    name: str
    expression: str
    columns: frozenset[int]


def mentioned(expression: str, table: Table) -> tuple[int, ...]:
    """Return the numbers of the columns that an expression may mention, in order of appearance."""
    numbers = {column.name: column.number for column in table.columns}
    names = (fold(token.text) for token in scan(expression) if token.kind in ("word", "name"))
    return tuple(dict.fromkeys(numbers[name] for name in names if name in numbers))


def given_columns(table: Table, numbers: Iterable[int]) -> frozenset[int]:
    """Replace each generated column by those that it is computed from."""
    found: set[int] = set()
    for number in numbers:
        column = table.by_number.get(number)
        if column and column.generated:
            found |= given_columns(table, set(mentioned(column.default or "", table)) - {number})
        elif column:
            found.add(number)
    return frozenset(found)


def conditions_of(table: Table, kinds: ColumnTypes) -> list[Condition]:
    """Return all conditions on a row of the table itself."""
    found = [*_checks(table), *_sound(table)]
    for column in table.columns:
        if not column.generated:
            found += _domains(column, kinds)
    return found


def partition_condition(root: Table, name: str, expression: str) -> Condition:
    """Return the bound of a partition, over the columns of its root."""
    return Condition(f"bound of partition {name}", expression, given_columns(root, mentioned(expression, root)))


def _checks(table: Table) -> Iterator[Condition]:
    for item in table.constraints:
        if item.kind == "c" and item.enforced and item.expression:
            numbers = item.columns or mentioned(item.expression, table)
            yield Condition(item.name, item.expression, given_columns(table, numbers))


def _sound(table: Table) -> Iterator[Condition]:
    """Yield conditions that generated columns and expressions in indexes raise no error; any value will do."""
    for column in table.columns:
        if column.generated and column.default:
            yield _evaluates(table, f"generated column {column.name}", column.default)
    for index in table.indexes:
        for key in index.keys:
            if key.number == 0:
                yield _evaluates(table, f"index {index.name}", key.text)


def _evaluates(table: Table, name: str, expression: str) -> Condition:
    numbers = given_columns(table, mentioned(expression, table))
    return Condition(name, f"num_nulls({expression}) >= 0", numbers)


def _domains(column: Column, kinds: ColumnTypes) -> Iterator[Condition]:
    """Yield the CHECKs of the column's domains, with VALUE as a column of one row, or of the array's elements."""
    kind = kinds.of(column.type)
    name = identifier(column.name)
    for domain in kind.domains:
        for _, text, _ in domain.checks:
            if match := _DOMAIN.match(text):
                source = f"unnest({name})" if kind.inner else f"(SELECT {name})"
                expression = f"(SELECT bool_and({match['body']}) FROM {source} AS d(value))"  # noqa: S608 - the schema's own expressions
                yield Condition(f"domain {domain.qualified}", expression, frozenset({column.number}))


def unique_sets(table: Table) -> list[frozenset[int]]:
    """Return the sets of written columns in which rows must differ: of unique indexes and exclusions."""
    found = [_index_columns(table, index) for index in table.indexes if index.unique or index.exclusion]
    return list(dict.fromkeys(columns for columns in found if columns))


def _index_columns(table: Table, index: Index) -> frozenset[int]:
    numbers = {key.number for key in index.keys if key.number}
    for key in index.keys:
        if key.number == 0:
            numbers |= set(mentioned(key.text, table))
    return given_columns(table, numbers)


def excluded_spans(table: Table) -> dict[int, str]:
    """Return columns that are bounds of a range in an exclusion constraint, each with "starts" or "ends"."""
    roles: dict[int, str] = {}
    for index in table.indexes:
        for key in index.keys if index.exclusion else ():
            pair = mentioned(key.text, table) if key.number == 0 else ()
            if len(pair) == 2:
                roles |= {pair[0]: "starts", pair[1]: "ends"}
    return roles
