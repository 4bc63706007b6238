"""What was seen of a revision: its trace, values lost, statements broken, downgrade, second runs. Frozen and plain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from harness.catalog import Snapshot
from harness.migrations.tracing.evidence import Trace, TracedStatement


@dataclass(frozen=True, slots=True)
class ValueLoss:
    """Values of a column that were there before and are not there after, counted as non-null values of rows."""

    column: str
    lost: int
    of: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BrokenStatement:
    """A statement of the release before, which worked before the revision and fails after it."""

    table: str
    command: str
    sqlstate: str
    message: str
    column: str = ""


@dataclass(frozen=True, slots=True)
class DowngradeResult:
    """What the downgrade did: nothing was tried (`missing` and `error` empty, `tried` false), failed, or ran."""

    tried: bool = False
    missing: bool = False
    error: str = ""
    changes: tuple[tuple[str, str], ...] = ()
    """(object, what differs) from the catalogue before the revision."""
    losses: tuple[ValueLoss, ...] = ()


@dataclass(frozen=True, slots=True)
class Rerun:
    """A run that was killed after statement `number`, and what happened when it was run again."""

    number: int
    sql: str
    error: str = ""
    sqlstate: str = ""
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkippedInvalidIndex:
    """An INVALID index that a second run took for a built one; `sql` is the statement."""

    index: str
    sql: str


@dataclass(frozen=True, slots=True)
class AdversarialFailure:
    """How a revision ends on rows with duplicates, nulls and extremes."""

    sqlstate: str
    message: str
    sql: str
    object: str = ""


@dataclass(frozen=True)
class Observations:
    """All that was seen of one revision.

    `before` and `after` are the catalogue around it, `after` also when it failed. `losses` are values that a change of
    type cost, `broken_statements` those of the previous release that fail now, `adversary` how it ends on odd rows.
    """

    trace: Trace
    before: Snapshot
    after: Snapshot
    losses: tuple[ValueLoss, ...] = ()
    broken_statements: tuple[BrokenStatement, ...] = ()
    downgrade_result: DowngradeResult = field(default_factory=DowngradeResult)
    reruns: tuple[Rerun, ...] = ()
    skipped_indexes: tuple[SkippedInvalidIndex, ...] = ()
    adversary: AdversarialFailure | None = None
    unseeded: tuple[tuple[str, str], ...] = ()
    """What holds no rows though it should, and why."""

    @property
    def statements(self) -> tuple[TracedStatement, ...]:
        """The statements of the revision, in order."""
        return self.trace.statements

    @property
    def complete(self) -> bool:
        """Whether the revision came to its end."""
        return self.trace.error is None


class Obstacle(NamedTuple):
    """Why a revision could not be judged, and what to do about it."""

    revision: str
    message: str
    fix: str = ""
