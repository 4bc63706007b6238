"""Rules about the judging itself: what could not be seen is said, never passed over."""

from __future__ import annotations

from harness.findings import Rule

NOT_SEEDED = Rule(
    "not-seeded",
    "error",
    "Every table holds rows before a revision is traced",
    "on an empty table most hazards are silent: nothing is scanned, nothing contradicts",
    "give rows by hand in the revision: seed = {'schema.table': [{'column': value}]}",
)
NOT_JUDGED = Rule(
    "not-judged",
    "error",
    "Every revision can be judged",
    "nobody knows what it does: an earlier revision that it needs does not run, or it ends the sessions that watch it",
    "repair the earlier revision first, or leave other sessions alone",
)
