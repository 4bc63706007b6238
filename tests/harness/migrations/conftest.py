"""A workbench for revisions, on the run's server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.migrations.tracing.scratch_databases import Workshop
from harness.postgres.server import Cluster
from tests.harness.migrations.workbench import Workbench, workshop_on


@pytest.fixture(scope="session")
def workshop(cluster: Cluster) -> Iterator[Workshop]:
    """Databases of these tests' own, where the superuser runs the revisions."""
    with workshop_on(cluster, "workbench") as made:
        yield made


@pytest.fixture(scope="session")
def workbench(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """Runs examples."""
    return Workbench(workshop, tmp_path_factory.mktemp("examples"))
