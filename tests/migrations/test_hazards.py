"""Each revision does no harm when it is traced on seeded rows."""

from __future__ import annotations

from collections.abc import Callable

from harness.findings import Verdict


def test_a_revision_does_no_harm(judge_revision: Callable[[], Verdict]) -> None:
    """No lock that stops production, no failure that waits for its rows, no old release broken, no value lost."""
    judge_revision()
