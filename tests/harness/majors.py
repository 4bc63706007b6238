"""The installed Postgres majors, for tests that must hold on each of them."""

from __future__ import annotations

import pytest

from harness.postgres.installations import installations

FOUND = {each.major: each for each in reversed(list(installations()))}

MAJORS = [
    pytest.param(found, id=f"pg{major}", marks=[] if major == max(FOUND) else pytest.mark.slow)
    for major, found in sorted(FOUND.items())
]
"""As parameters of a fixture: the newest installation of each, all but the newest major left to CI and to `full`."""
