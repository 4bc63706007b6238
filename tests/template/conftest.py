"""Projects made from the template."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.template.projects import bare_project, shaped_project

collect_ignore = ["shapes"]
"""The tests there are those of other projects."""


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template, renamed, without the sample."""
    return bare_project(tmp_path_factory.mktemp("bare") / "project")


@pytest.fixture
def project_of(bare: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Creates a project of a shape, such as `project_of("auth")`."""
    return partial(shaped_project, bare, tmp_path / "project")
