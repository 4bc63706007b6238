"""Foreign keys of a table to itself: planned beforehand, because every row follows from its number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from harness.catalog import Constraint, Table
from harness.seed.constraints.conditions import Condition
from harness.seed.constraints.evaluate import ServerEvaluator
from harness.seed.constraints.solver import Task, UnsatisfiableError
from harness.seed.plan import Plan
from harness.seed.references.table_order import enforced_keys
from harness.seed.values.sources import ValueSource, nothing


@dataclass(frozen=True, slots=True)
class SelfReferences:
    """The keys, and the columns that only they fill."""

    keys: tuple[Constraint, ...]
    columns: frozenset[int]

    def add_to(
        self, plan: Plan, judge: ServerEvaluator, conditions: Sequence[Condition], unique: Sequence[frozenset[int]]
    ) -> None:
        """Extend the plan by the first choice for every key that satisfies all conditions.

        Raises:
            UnsatisfiableError: when none does.
        """
        asked = [condition for condition in conditions if condition.columns & self.columns]
        bare = [list(part) for part in plan.parts]
        for combination in product(*(list(self._choices(plan, key, unique)) for key in self.keys)):
            plan.parts = [[*part, *combination] for part in bare]
            if _holds(plan, judge, asked):
                return
        raise UnsatisfiableError(asked, [], 5 ** len(self.keys))

    def _choices(self, plan: Plan, key: Constraint, unique: Sequence[frozenset[int]]) -> Iterator[ValueSource]:
        """Yield sources for the columns of one key: the row before, in a ring, the row itself, NULL."""
        pairs = [pair for pair in zip(key.columns, key.referenced, strict=True) if pair[0] in self.columns]
        columns = tuple(column for column, _ in pairs)
        referenced = tuple(number for _, number in pairs)
        nullable = [column for column in columns if not plan.table.by_number[column].not_null]
        itself = ValueSource(columns, "the row itself", lambda row: plan.values(row, referenced), plan.limit)
        before = replace(itself.placed(lambda row: max(row - 1, 0)), name="the row before")
        if len(columns) == len(key.columns):
            if len(nullable) == len(columns):
                first = (None,) * len(columns)
                yield replace(
                    before, name="the row before, none for the first", row=lambda row: before.row(row) if row else first
                )
            if frozenset(key.columns) not in unique:
                yield before
            yield replace(itself.placed(lambda row: (row - 1) % plan.limit), name="a ring")
        yield itself
        if len(nullable) == len(columns) or (nullable and key.match != "f"):
            yield nothing(columns) if len(nullable) == len(columns) else _opened(itself, frozenset(nullable))


def _opened(source: ValueSource, open_columns: frozenset[int]) -> ValueSource:
    """Return the source with NULL in some columns."""
    return replace(
        source,
        name="NULL where it is allowed",
        row=lambda row: tuple(
            None if column in open_columns else text
            for column, text in zip(source.columns, source.row(row), strict=True)
        ),
    )


def own_keys(table: Table, elsewhere: frozenset[int]) -> SelfReferences:
    """Return the keys of a table to itself; `elsewhere` are columns filled from other tables."""
    keys = [key for key in enforced_keys(table) if key.target == table.oid]
    referenced = {number for key in keys for number in key.referenced}
    columns = frozenset(number for key in keys for number in key.columns) - elsewhere - referenced
    return SelfReferences(tuple(key for key in keys if set(key.columns) & columns), columns)


def _holds(plan: Plan, judge: ServerEvaluator, conditions: Sequence[Condition]) -> bool:
    """Return whether the conditions hold for sampled rows of the plan."""
    columns = tuple(sorted({number for condition in conditions for number in condition.columns}))
    if not conditions:
        return True
    rows = [plan.values(number, columns) for number in Task(plan.limit, (), frozenset()).sample]
    return all(judge.verdicts(columns, rows, conditions))
