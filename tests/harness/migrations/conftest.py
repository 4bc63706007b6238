"""A workbench runs revisions on the run's server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.migrations.tracing.scratch_databases import ScratchDatabases
from harness.postgres.server import Cluster
from tests.harness.migrations.workbench import Workbench, scratch_on


@pytest.fixture(scope="session")
def scratch(cluster: Cluster) -> Iterator[ScratchDatabases]:
    """Databases of these tests' own, where the superuser runs the revisions."""
    with scratch_on(cluster, "workbench") as made:
        yield made


@pytest.fixture(scope="session")
def workbench(scratch: ScratchDatabases, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """Runs examples."""
    return Workbench(scratch, tmp_path_factory.mktemp("examples"))
