"""For every rule over a trace: revisions that break it, and revisions that do the like and must stay silent."""

from __future__ import annotations

from tests.harness.migrations.examples import blocking, data, failing, locks, release
from tests.harness.migrations.workbench import Example

SUBJECTS = (blocking, locks, failing, release, data)

BREAKS: dict[str, list[Example]] = {rule: found for subject in SUBJECTS for rule, found in subject.BREAKS.items()}
"""What must be found, by the rule that must find it; other rules may find something too."""

SILENT: dict[str, list[Example]] = {rule: found for subject in SUBJECTS for rule, found in subject.SILENT.items()}
"""What must stay silent: no error and no warning of any rule."""
