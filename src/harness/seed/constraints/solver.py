"""Chooses a source for every column so that the conditions hold; the server evaluates samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

from harness.seed.constraints.conditions import Condition
from harness.seed.constraints.evaluate import ServerEvaluator
from harness.seed.values.generators import scrambled
from harness.seed.values.sources import Row, ValueSource, from_rows

Choices = Sequence[ValueSource]
"""Sources for the same columns, the preferred ones first."""

Combination = tuple[ValueSource, ...]
"""One source for each of several variables."""

TURNS = 4
"""The largest number of combinations that take turns, if each leaves a condition undecided."""

COMBINATIONS = 4000
"""The largest number of combinations of sources tried for columns that share a condition."""

BATCH = 4000
"""Candidate rows in one query."""

SPARSE = 0.02
"""The share of good rows from which picking them is better than a constant or NULL."""


class UnsatisfiableError(Exception):
    """No candidate satisfies `conditions`; `tried` shows some candidates."""

    def __init__(self, conditions: Sequence[Condition], tried: Sequence[Row], count: int) -> None:
        super().__init__(", ".join(condition.name for condition in conditions))
        self.conditions = conditions
        self.tried = tried
        self.count = count


@dataclass(frozen=True, slots=True)
class Task:
    """The problem: `rows` wanted, `conditions` on them, `keys` unique by themselves.

    With `exact` the server evaluates every row, because a sample was not enough.
    """

    rows: int
    conditions: Sequence[Condition]
    keys: frozenset[int]
    exact: bool = False

    @property
    def sample(self) -> list[int]:
        """The indexes sampled: the first, the last, and some between."""
        rows = self.rows
        between = [rows // 7, rows // 3, rows // 2, rows * 3 // 4, rows - 2, rows - 1]
        return sorted({*range(min(rows, 10)), *(index for index in between if 0 <= index < rows)})


def solve(judge: ServerEvaluator, variables: Sequence[Choices], task: Task) -> list[ValueSource]:
    """Return one source for each of the variables, or one for several that must be chosen together.

    Raises:
        UnsatisfiableError: with the conditions that no candidate satisfies.
    """
    found: list[ValueSource] = []
    for group, conditions in _groups(variables, task.conditions):
        found += _Group(judge, group, conditions, task).choose()
    return found


def _groups(
    variables: Sequence[Choices], conditions: Sequence[Condition]
) -> list[tuple[list[Choices], list[Condition]]]:
    """Return variables that share conditions, with these conditions."""
    groups: list[tuple[list[Choices], list[Condition]]] = [([variable], []) for variable in variables]
    for condition in conditions:
        tied = [group for group in groups if any(condition.columns & set(choices[0].columns) for choices in group[0])]
        if tied:
            groups = [group for group in groups if group not in tied]
            members = [choices for group in tied for choices in group[0]]
            groups.append((members, [*(item for group in tied for item in group[1]), condition]))
    return groups


@dataclass
class _Group:
    """Variables that share conditions."""

    judge: ServerEvaluator
    variables: list[Choices]
    conditions: list[Condition]
    task: Task

    def choose(self) -> list[ValueSource]:
        """Return the first combination of sources that is right in every sample, else rows picked by the server."""
        if not self.conditions:
            return [self._order(choices)[0] for choices in self.variables]
        ranked = [self._own_rates(choices) for choices in self.variables]
        full = [[source for source in choices if not source.empty] for choices in ranked]
        emptied = [
            [*some[:1], *(s for s in choices if s.empty), *some[1:]] for some, choices in zip(full, ranked, strict=True)
        ]
        able: list[tuple[float, Combination]] = []
        for options, size in ((full, 4), (emptied, 64)):
            best = self._best(options, size)
            if best and best[0][0] == 1.0 and not self.task.exact:
                return self._in_turn([combination for rate, combination in best if rate == 1.0])
            able += best
            if able and able[0][0] >= SPARSE:
                break
        return [self._picked([combination for _, combination in able[:6]])]

    def _in_turn(self, combinations: Sequence[Combination]) -> list[ValueSource]:
        """Return the best combination; if it leaves a condition undecided, in turn with those that decide it."""
        best = combinations[0]
        if not any(source.empty for source in best):
            return list(best)
        openings: dict[tuple[str, ...], Combination] = {}
        for combination in combinations:
            opening = tuple(source.name if source.empty else "" for source in combination)
            if self._shorts(combination) == self._shorts(best):
                openings.setdefault(opening, combination)
        turns = list(openings.values())[:TURNS]
        if len(turns) == 1:
            return list(best)
        count = len(turns)
        capacity = count * min(min((s.capacity for s in turn if not s.empty), default=1) for turn in turns)
        return [
            ValueSource(self.columns, "in turn", lambda index: _row(turns[index % count], index // count), capacity)
        ]

    @property
    def columns(self) -> tuple[int, ...]:
        """All columns of the variables."""
        return tuple(number for choices in self.variables for number in choices[0].columns)

    def _short(self, source: ValueSource) -> bool:
        """Return whether a column that is a key by itself would repeat."""
        return source.capacity < self.task.rows and bool(self.task.keys & set(source.columns))

    def _order(self, choices: Choices) -> list[ValueSource]:
        """Return the sources; last those that repeat where they must not, of these the largest first."""
        return sorted(
            choices,
            key=lambda source: -min(source.capacity, self.task.rows) if self._short(source) else -self.task.rows - 1,
        )

    def _own_rates(self, choices: Choices) -> list[ValueSource]:
        """Return the sources that can satisfy the conditions on their columns alone, the most reliable first."""
        columns = choices[0].columns
        own = [condition for condition in self.conditions if condition.columns <= set(columns)]
        ordered = self._order(choices)
        if not own or len(self.variables) == 1:
            return ordered
        rates = self._rates(columns, [(source,) for source in ordered], own)
        able = [(rate, source) for rate, source in zip(rates, ordered, strict=True) if rate > 0]
        return [source for _, source in sorted(able, key=lambda item: item[0] < 1)] or ordered

    def _best(self, options: Sequence[Choices], size: int) -> list[tuple[float, Combination]]:
        """Return combinations with their share of good rows; the set grows from `size` until one is always good."""
        found: list[tuple[float, Combination]] = []
        remaining = _combinations(options)
        while batch := list(islice(remaining, size)):
            rates = self._rates(self.columns, batch, self.conditions)
            pairs = list(zip(rates, batch, strict=True))
            found += [(rate, combination) for rate, combination in pairs if rate > 0]
            if any(rate == 1.0 and not self._shorts(combination) for rate, combination in pairs):
                break
            size = min(size * 4, BATCH // 20)
        return sorted(found, key=self._worth)

    def _worth(self, found: tuple[float, Combination]) -> tuple[int, bool, bool, int, float]:
        """Return a sort key: always right first; of those to pick from, the largest first."""
        rate, combination = found
        room = min((source.capacity for source in combination if not source.empty), default=1)
        wanted = 0 if rate == 1.0 else -min(room, self.task.rows)
        return self._shorts(combination), rate < 1.0, rate < SPARSE, wanted, -rate

    def _shorts(self, combination: Combination) -> int:
        return sum(map(self._short, combination))

    def _rates(
        self, columns: tuple[int, ...], combinations: Sequence[Combination], conditions: Sequence[Condition]
    ) -> list[float]:
        """Return for each combination the share of good rows in the sample, with the last row before it repeats."""
        rows, sizes = [], []
        for combination in combinations:
            ends = {source.capacity - 1 for source in combination if 1 < source.capacity < self.task.rows}
            sample = [*self.task.sample, *sorted(ends)[:4]]
            rows += [_row(combination, index) for index in sample]
            sizes.append(len(sample))
        verdicts = iter(self.judge.verdicts(columns, rows, conditions))
        return [sum(islice(verdicts, size)) / size for size in sizes]

    def _picked(self, combinations: list[Combination]) -> ValueSource:
        """Return rows that the server found good, as one source.

        Raises:
            UnsatisfiableError: when there are none.
        """
        rows: dict[Row, Row] = {}
        count = 0
        shown: list[Row] = []
        for candidates in self._candidates(combinations):
            verdicts = self.judge.verdicts(self.columns, candidates, self.conditions)
            good = (row for row, verdict in zip(candidates, verdicts, strict=True) if verdict)
            for row in good:
                rows.setdefault(self._key(row), row)
            count += len(candidates)
            shown = shown or candidates[:3]
            if len(rows) >= self.task.rows:
                break
        if not rows:
            raise UnsatisfiableError(self.conditions, shown, count)
        return from_rows(self.columns, "picked by the server", list(rows.values())[: self.task.rows])

    def _key(self, row: Row) -> Row:
        """Return the part of a row that must be unique, lower-cased; all of it if nothing must."""
        keys = tuple(
            text and text.casefold() for number, text in zip(self.columns, row, strict=True) if number in self.task.keys
        )
        return keys or row

    def _candidates(self, combinations: list[Combination]) -> Iterator[list[Row]]:
        """Yield rows of the best combinations, then of mixed sources and indexes."""
        for combination in combinations:
            reach = 1
            for source in combination:
                reach = min(reach * source.capacity, 20 * self.task.rows + BATCH)
            for start in range(0, reach, BATCH):
                yield [_row(combination, index) for index in range(start, min(start + BATCH, reach))]
        for start in range(0, 5 * BATCH, BATCH):
            yield [self._mixed(number) for number in range(start, start + BATCH)]

    def _mixed(self, number: int) -> Row:
        """Return a row whose parts come from different sources and indexes."""
        row: Row = ()
        for place, choices in enumerate(self.variables):
            roll = scrambled(number * 31 + place)
            source = choices[roll % len(choices)]
            row += source.at((roll >> 20) % max(self.task.rows, 2000))
        return row


def _row(combination: Combination, index: int) -> Row:
    """Return the texts of all sources at one index."""
    return tuple(text for source in combination for text in source.at(index))


def _combinations(options: Sequence[Choices]) -> Iterator[Combination]:
    """Yield combinations: of the preferred sources first, then each variable's other sources alone."""
    width = next((width for width in range(40, 0, -1) if width ** len(options) <= COMBINATIONS), 1)
    cut = [list(enumerate(choices[: width if len(options) > 1 else None])) for choices in options]
    ranked = sorted(product(*cut), key=lambda combination: sum(place for place, _ in combination))
    yield from (tuple(source for _, source in combination) for combination in ranked)
    first = tuple(choices[0] for choices in options if choices)
    if len(first) == len(options) > 1:
        for place, choices in enumerate(options):
            yield from ((*first[:place], source, *first[place + 1 :]) for source in choices[width:])
