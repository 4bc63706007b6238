"""Revisions that cannot be judged."""

from __future__ import annotations

from collections.abc import Iterator

from harness.migrations.tracing.observations import Observations, Obstacle
from harness.rules import Breach, rule


@rule("not-seeded", "error", "Every table holds rows before a revision is traced")
def not_seeded(seen: Observations) -> Iterator[Breach]:
    """Find tables that could not be filled with rows.

    Why: on an empty table most rules find nothing, because nothing is scanned and no row violates a constraint
    Fix: write rows into the revision: seed = {'schema.table': [{'column': value}]}
    """
    for name, message in seen.unseeded:
        yield Breach(name, message)


@rule("not-judged", "error", "Every revision can be judged", exempt=False)
def not_judged(obstacle: Obstacle) -> Iterator[Breach]:
    """Find revisions that need an earlier revision which failed, or that end the sessions of the harness.

    Why: the effect of the revision is unknown
    Fix: repair the failed revision first, or do not end other sessions
    """
    yield Breach(*obstacle)
