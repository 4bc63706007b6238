"""A server of each installed major, with a template that holds everything a schema can hold."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from harness.config import Config
from harness.databases.clones import Clone, Cloner
from harness.databases.databases import Database, Databases
from harness.databases.prepared import databases_on
from harness.postgres.installations import installations
from harness.postgres.server import Cluster, start_cluster
from tests.harness.majors import MAJORS


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[Cluster]:
    """A server on which tests make their own databases, one after the other."""
    with contextlib.closing(start_cluster(next(installations()))) as cluster:
        yield cluster


@pytest.fixture
def databases(shared_cluster: Cluster, trial: Config) -> Iterator[Databases]:
    """The databases of one test, with their own pool."""
    with contextlib.closing(databases_on(shared_cluster, trial)) as made:
        yield made
        made.clear()


@dataclass
class TrialServer:
    """A server with its databases; `cloner` does in the test's own thread what otherwise happens in the background."""

    cluster: Cluster
    databases: Databases
    cloner: Cloner

    def clone(self, *, migrated: bool = True) -> Clone:
        """A new clone, with all that is known of its template."""
        return self.cloner.clone(self.databases.template(migrated=migrated), ahead=True)

    def open(self, clone: Clone) -> Database:
        """The clone as a test would see it."""
        return Database(clone.name, self.databases.server, self.databases.roles)

    def dump(self, clone: Clone) -> str:
        """All of a database as pg_dump writes it, with its rights, settings and comment, under one name."""
        text = self._run("pg_dump", clone.name, "--create")
        return re.sub(rf"\b{clone.name}\b", "NAME", text)

    def shared(self) -> str:
        """Roles with their attributes, settings and memberships, and the server's own settings."""
        system = self.cluster.run.data / "postgresql.auto.conf"
        return self._run("pg_dumpall", "postgres", "--globals-only") + system.read_text(encoding="utf-8")

    def _run(self, program: str, dbname: str, *arguments: str) -> str:
        where = self.cluster.address.dsn(dbname)
        command = [self.cluster.installation.program(program), "--dbname", where, *arguments]
        shown = subprocess.run(command, capture_output=True, text=True, check=True)
        return "\n".join(line for line in shown.stdout.splitlines() if not re.match(r"\\(un)?restrict |-- ", line))


@pytest.fixture(scope="session", params=MAJORS)
def server(request: pytest.FixtureRequest, trial: Config) -> Iterator[TrialServer]:
    """A server of one major with the trial template."""
    cluster = start_cluster(request.param)
    with contextlib.closing(cluster), contextlib.closing(databases_on(cluster, trial)) as databases:
        yield TrialServer(cluster, databases, databases.pool.foreground)


@pytest.fixture(scope="session")
def original(server: TrialServer) -> str:
    """The dump of an untouched clone."""
    return server.dump(server.clone())
