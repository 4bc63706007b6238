"""The observations of a revision: trace, values lost, statements broken, downgrade, second runs. Frozen and plain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from harness.catalog import Snapshot
from harness.migrations.tracing.evidence import Trace, TracedStatement


@dataclass(frozen=True, slots=True)
class ValueLoss:
    """Values of a column that a revision has lost, counted as non-null values of rows."""

    column: str
    lost: int
    of: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BrokenStatement:
    """A statement of the previous release, which worked before the revision and fails after it."""

    table: str
    command: str
    sqlstate: str
    message: str
    column: str = ""


@dataclass(frozen=True, slots=True)
class DowngradeResult:
    """The result of the downgrade: `tried` or not; if so, failed (`error`), `missing` if it does nothing, or ran."""

    tried: bool = False
    missing: bool = False
    error: str = ""
    changes: tuple[tuple[str, str], ...] = ()
    """(object, what differs) from the catalogue before the revision."""
    losses: tuple[ValueLoss, ...] = ()


@dataclass(frozen=True, slots=True)
class Rerun:
    """A run that was killed after statement `number`, and the result of running it again."""

    number: int
    sql: str
    error: str = ""
    sqlstate: str = ""
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkippedInvalidIndex:
    """An INVALID index that a second run skipped as if it were built; `sql` is the statement."""

    index: str
    sql: str


@dataclass(frozen=True, slots=True)
class AdversarialFailure:
    """The failure of a revision on rows with duplicates, nulls and extremes."""

    sqlstate: str
    message: str
    sql: str
    object: str = ""


@dataclass(frozen=True)
class Observations:
    """The observations of one revision.

    `before` and `after` are the catalogue before and after it, even if it failed. `losses` are values lost by changes
    of type, `broken_statements` those of the previous release that fail now, `adversary` the failure on odd rows.
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
    """(object, reason) of what has no rows though it should."""

    @property
    def statements(self) -> tuple[TracedStatement, ...]:
        """The statements of the revision, in order."""
        return self.trace.statements

    @property
    def complete(self) -> bool:
        """Whether the revision succeeded."""
        return self.trace.error is None


class Obstacle(NamedTuple):
    """Why a revision could not be judged, and what to do about it."""

    revision: str
    message: str
    fix: str = ""
