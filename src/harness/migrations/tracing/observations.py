"""What was seen after a revision: values lost, statements refused, the way back, second runs. Frozen and plain."""

from __future__ import annotations

from dataclasses import dataclass


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
