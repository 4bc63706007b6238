"""Each revision, read without running it, keeps the rules that need nothing but its file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory

from harness.config import Config
from harness.findings import Verdict
from harness.migrations.files.exemptions import read_exemptions
from harness.migrations.files.source import renders_offline
from harness.migrations.rules.of_files import CHECKS, read_revision


def test_no_revision_holds_what_a_reader_would_refuse(
    alembic_config: AlembicConfig, harness_config: Config, judge: Callable[..., Verdict]
) -> None:
    """Imports of the app, chance, SQL from elsewhere, slips, and what cannot run again after it stopped half way."""
    package = harness_config.app.partition(":")[0].partition(".")[0]
    offline = renders_offline(harness_config.migrations_path / "env.py")
    rules = {rule.id for rule in CHECKS}
    problems = []
    for script in ScriptDirectory.from_config(alembic_config).walk_revisions():
        path = Path(script.path)
        exemptions = [item for item in read_exemptions(path) if item.rule in rules]
        try:
            judge("migrations", read_revision(path, package, offline=offline), exemptions)
        except pytest.fail.Exception as failure:  # each revision has exemptions of its own, and all are to be read
            problems.append(f"{path.name}\n{failure}")
    if problems:
        pytest.fail("\n\n".join(problems), pytrace=False)
