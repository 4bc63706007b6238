"""Revisions that other databases already ran stay as they are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory

from harness.config import Config
from harness.findings import Verdict
from harness.migrations.files.exemptions import read_exemptions
from harness.migrations.files.released import compare_with_released


def test_history_only_grows_at_its_end(
    alembic_config: AlembicConfig,
    harness_config: Config,
    judge: Callable[..., Verdict],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No released revision was edited or removed, and every other one is above them.

    What was compared is printed, because without a remote branch it is nothing.
    """
    scripts = ScriptDirectory.from_config(alembic_config)
    comparison = compare_with_released([harness_config.migrations_path], os.environ)
    with capsys.disabled():
        print(f"\n{comparison.note}")
    paths = [Path(script.path) for script in scripts.walk_revisions()]
    exemptions = [item for path in paths for item in read_exemptions(path, released=True)]
    judge("migrations", comparison.findings, exemptions if comparison.compared else None)
