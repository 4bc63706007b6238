"""Each revision, read without running it, keeps the rules that need nothing but its file."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory

from harness.config import Config
from harness.findings import judge
from harness.migrations.hazards import read_hazards
from harness.migrations.reading import CHECKS, read_revision
from harness.migrations.source import renders_offline


def test_no_revision_holds_what_a_reader_would_refuse(alembic_config: AlembicConfig, harness_config: Config) -> None:
    """Imports of the app, chance, SQL from elsewhere, slips, and what cannot run again after it stopped half way."""
    package = harness_config.app.partition(":")[0].partition(".")[0]
    offline = renders_offline(harness_config.migrations_path / "env.py")
    rules = {rule.id for rule in CHECKS}
    problems = []
    for script in ScriptDirectory.from_config(alembic_config).walk_revisions():
        path = Path(script.path)
        exemptions = [item for item in read_hazards(path) if item.rule in rules]
        verdict = judge(read_revision(path, package, offline=offline), exemptions, strict=harness_config.strict)
        if not verdict.clean:
            problems.append(f"{path.name}\n{verdict}")
    assert not problems, "\n\n".join(problems)
