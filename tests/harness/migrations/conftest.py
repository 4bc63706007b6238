"""A workbench for revisions, on the run's server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.migrations.workshop import Workshop
from harness.postgres.address import Address
from harness.postgres.administrator import Administrator
from harness.postgres.server import PORT, SUPERUSER, Cluster
from tests.harness.migrations.workbench import Workbench


@pytest.fixture(scope="session")
def workshop(cluster: Cluster) -> Iterator[Workshop]:
    """Databases of these tests' own, where the superuser runs the revisions."""
    administrator = Administrator(Address(cluster.host, PORT, SUPERUSER), cluster.run.path)
    made = Workshop(administrator, prefix="workbench")
    yield made
    made.close()
    administrator.close()


@pytest.fixture(scope="session")
def workbench(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """Runs examples."""
    return Workbench(workshop, tmp_path_factory.mktemp("examples"))
