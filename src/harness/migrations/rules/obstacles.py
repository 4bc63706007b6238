"""What keeps a revision from being judged: it is said, never passed over."""

from __future__ import annotations

from collections.abc import Iterator

from harness.migrations.tracing.observations import Observations, Obstacle
from harness.rules import Breach, rule


@rule(
    "not-seeded",
    "error",
    "Every table holds rows before a revision is traced",
    why="on an empty table most hazards are silent: nothing is scanned, nothing contradicts",
    fix="give rows by hand in the revision: seed = {'schema.table': [{'column': value}]}",
)
def not_seeded(seen: Observations) -> Iterator[Breach]:
    """Find each table that could not be filled with rows."""
    for name, message in seen.unseeded:
        yield Breach(name, message)


@rule(
    "not-judged",
    "error",
    "Every revision can be judged",
    why="its effect is unknown: an earlier revision that it needs fails, or it ends the sessions that watch it",
    fix="repair the earlier revision first, or leave other sessions alone",
)
def not_judged(obstacle: Obstacle) -> Iterator[Breach]:
    """Find each revision that needs what a failed one should have made, or that ends the harness's own sessions."""
    yield Breach(*obstacle)
