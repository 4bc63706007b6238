"""Plans a table: candidates for every column, foreign keys from parents, conditions satisfied, keys distinct."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import psycopg

from harness.catalog import Column, Snapshot, Table
from harness.catalog import Sequence as DatabaseSequence
from harness.errors import HarnessError
from harness.seed.constraints.conditions import Condition, conditions_of, excluded_spans, unique_sets
from harness.seed.constraints.evaluate import ServerEvaluator
from harness.seed.constraints.solver import Choices, Task, solve
from harness.seed.constraints.uniqueness import place
from harness.seed.errors import by_hand
from harness.seed.plan import Plan
from harness.seed.references.parents import Parents
from harness.seed.references.partitions import parts_of
from harness.seed.references.self_references import SelfReferences, own_keys
from harness.seed.values.choose import generators_of, known
from harness.seed.values.column_types import ColumnType, ColumnTypes
from harness.seed.values.generators import Generator, constant
from harness.seed.values.hints import read_hints
from harness.seed.values.numbers import WHOLE, Scale, scale_of
from harness.seed.values.sources import ValueSource, from_generator, nothing
from harness.sql.quoting import identifier

MOST = 150
"""The largest number of generators tried for one column."""


@dataclass
class Planner:
    """Plans tables of one snapshot for `rows` rows; `waiting` are the foreign keys that are set later."""

    connection: psycopg.Connection[Any]
    snapshot: Snapshot
    rows: int
    waiting: frozenset[int]

    def __post_init__(self) -> None:
        self.kinds = ColumnTypes(self.snapshot)
        self.parents = Parents(self.connection, self.snapshot, self.rows)
        self.sequences = {
            pair: item
            for item in self.snapshot.sequences
            for pair in {*item.users, *([(item.owner_table, item.owner_column)] if item.owner_table else [])}
        }

    def plan(self, table: Table, *, exact: bool = False) -> Plan:
        """Return the plan of a table; with `exact` the server evaluates every row, not a sample.

        Raises:
            UnsatisfiableError: when nothing satisfies a condition.
            HarnessError: when a parent has no rows.
        """
        referring = self.parents.choices(table, self.waiting)
        own = own_keys(table, frozenset(number for choices in referring for number in choices[0].columns))
        conditions = [*conditions_of(table, self.kinds), *self._readable(table)]
        keys = unique_sets(table)
        single = frozenset(number for key in keys if len(key) == 1 for number in key)
        judge = ServerEvaluator(self.connection, table, self.kinds)
        parts = parts_of(self.connection, self.snapshot, table, self.kinds)
        limit, solved = self.rows, []
        for part in parts:
            every = list(dict.fromkeys([*conditions, *part.conditions]))
            tied = [condition for condition in every if not condition.columns & own.columns]
            variables = [*referring, *self._columns(table, referring, own, every, single)]
            sources = solve(judge, variables, Task(self.rows, tied, single, exact))
            placed, most = place(sources, [*keys, *part.keys], self.rows, len(parts), own.columns)
            solved.append(placed)
            limit = min(limit, most)
        written = tuple(column.number for column in table.columns if not column.generated)
        plan = Plan(table, written, solved, limit)
        own.add_to(plan, judge, conditions, keys)
        return plan

    def _readable(self, table: Table) -> Iterator[Condition]:
        """Yield, for types that are not known here, the condition that the server can read the text."""
        for column in table.columns:
            if not column.generated and not known(self.kinds.of(column.type)):
                yield Condition(
                    f"type {column.type} of {column.name}",
                    f"num_nulls({identifier(column.name)}) >= 0",
                    frozenset({column.number}),
                )

    def _columns(
        self,
        table: Table,
        referring: Sequence[Choices],
        own: SelfReferences,
        conditions: Sequence[Condition],
        keys: frozenset[int],
    ) -> Iterator[list[ValueSource]]:
        """Yield the choices of every column that no foreign key fills."""
        filled = own.columns | {number for choices in referring for number in choices[0].columns}
        waits = {number for key in table.foreign_keys if key.oid in self.waiting for number in key.columns}
        spans = excluded_spans(table)
        for column in table.columns:
            if column.generated or column.number in filled:
                continue
            asked = [condition for condition in conditions if column.number in condition.columns]
            generators = self._generators(table, column, spans.get(column.number, column.name), asked)
            most = MOST if asked or column.number in keys else 1
            found = [from_generator(column.number, generator) for generator in islice(generators, most)]
            if not column.not_null and not _refuses_null(table, column):
                found.insert(0 if column.number in waits else len(found), nothing((column.number,)))
            if not found:
                raise HarnessError(
                    f"{table.qualified}.{column.name} cannot be seeded: no values known for type {column.type}",
                    looked_at="the built-in types, and the labels of enums",
                    remedy=by_hand(table),
                )
            yield found

    def _generators(self, table: Table, column: Column, name: str, asked: Sequence[Condition]) -> Iterator[Generator]:
        """Yield generators of one column: its sequence's numbers first, its default's value last."""
        kind = self.kinds.of(column.type)
        if item := self.sequences.get((table.oid, column.number)):
            yield from _numbers(item, kind)
        yield from generators_of(
            self.kinds, kind, table.name, name, read_hints(condition.expression for condition in asked)
        )
        if asked and column.default and not column.identity and "nextval(" not in column.default:
            row = self.connection.execute(f"SELECT ({column.default})::text".replace("%", "%%").encode()).fetchone()
            if row and row[0] is not None:
                yield constant(row[0])


def _numbers(item: DatabaseSequence, kind: ColumnType) -> Iterator[Generator]:
    """Yield the numbers that the sequence would have given."""
    if kind.base in WHOLE:
        high, low = min(item.maximum, scale_of(kind).high), max(item.minimum, scale_of(kind).low)
        yield from Scale(low, high).line("numbers of the sequence", item.start, item.increment)


def _refuses_null(table: Table, column: Column) -> bool:
    """Return whether the column has a NOT NULL that is not validated yet (18)."""
    return any(item.kind == "n" and item.enforced and item.columns == (column.number,) for item in table.constraints)
