"""How a rule over a traced revision is written, found and run.

A rule is one function that takes what was seen of a revision and yields places:

    @rule("explicit-lock", "warning", "No revision locks a table by hand", why="...", fix="...")
    def explicit_lock(seen: Observations) -> Iterator[Breach]:
        ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.catalog import Snapshot
from harness.findings import Finding, Rule, Severity
from harness.migrations.tracing.evidence import Trace, TracedStatement
from harness.migrations.tracing.observations import (
    AdversarialFailure,
    BrokenStatement,
    DowngradeResult,
    Rerun,
    SkippedInvalidIndex,
    ValueLoss,
)


@dataclass(frozen=True)
class Observations:
    """All that was seen of one revision.

    `before` and `after` are the catalogue around it, `after` also when it failed. `losses` are values that a change of
    type cost, `refusals` statements of the release before that fail now, `adversary` how it ends on odd rows.
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

    @property
    def statements(self) -> tuple[TracedStatement, ...]:
        """The statements of the revision, in order."""
        return self.trace.statements

    @property
    def complete(self) -> bool:
        """Whether the revision came to its end."""
        return self.trace.error is None


class Breach(NamedTuple):
    """One place that breaks a rule: the object as an exemption names it, what was seen, and code that mends it."""

    object: str
    message: str
    fix: str = ""
    statement: TracedStatement | None = None
    level: Severity | None = None


Check = Callable[[Observations], Iterator[Breach]]

RULES: dict[str, tuple[Rule, Check]] = {}
"""Every rule that is imported, with its check, by id."""


def rule(
    id: str,  # noqa: A002 - it is the name of Rule's field
    severity: Severity,
    title: str,
    *,
    why: str,
    fix: str,
) -> Callable[[Check], Check]:
    """Register a check under `id`."""

    def register(check: Check) -> Check:
        RULES[id] = (Rule(id, severity, title, why, fix), check)
        return check

    return register


def findings(seen: Observations) -> list[Finding]:
    """What all rules find, each object once by each rule."""
    found: dict[tuple[str, str], Finding] = {}
    for item, check in RULES.values():
        for place in check(seen):
            sql = place.statement.sql if place.statement else None
            finding = Finding(item, place.object, place.message, place.fix, seen.trace.revision, sql, place.level)
            found.setdefault((item.id, place.object), finding)
    return list(found.values())
