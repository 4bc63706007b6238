"""One run of pytest (under xdist, of one worker): its server, the databases on it, and its report."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from time import perf_counter
from typing import Any

import pytest
from pytest_postgresql.executors import NoopExecutor

from harness.config import Config
from harness.databases.cache import ClusterCache
from harness.databases.databases import Database, Databases
from harness.databases.loans import Loans
from harness.databases.prepared import databases_on, prepared_cluster
from harness.errors import HarnessError
from harness.findings import Exemption, Finding, Verdict
from harness.postgres.address import Address
from harness.postgres.admin import cause_full, disk_full
from harness.postgres.environment import drop_variables
from harness.postgres.external_server import check_rights
from harness.postgres.installations import Installation, choose, psql_command
from harness.postgres.pgbouncer import find_pgbouncer, pgbouncer
from harness.postgres.roles import LOGINS, Roles
from harness.postgres.server import Cluster
from harness.report.report import Report
from harness.rules import judge

OTHERS = (
    "name one of those found, --pg MAJOR, or another, --postgresql-exec /path/to/pg_ctl",
    "use a running server: --postgresql-host HOST --postgresql-user USER",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """The Postgres that the user asks for, on the command line and by the project's default.

    `external` is a server that someone else runs; the harness then starts none.
    """

    default: int
    major: int | None = None
    executable: str | None = None
    external: Address | None = None

    def installation(self) -> Installation:
        """Return the programs to take.

        Raises:
            HarnessError: when nothing fits.
        """
        return choose(self.default, asked=self.major, executable=self.executable)

    def describe(self) -> str:
        """Return one line for pytest's header: which Postgres would be taken, and why."""
        if self.external:
            place = f"{self.external.host}:{self.external.port} (--postgresql-host)"
            return f"postgres: server at {place}, where each database is a new clone"
        try:
            installation = self.installation()
        except HarnessError as error:
            return f"postgres: none: {error.what}"
        asker = "--postgresql-exec" if self.executable else "--pg" if self.major else "[tool.harness] postgres"
        return f"postgres: {installation}, {self.major or installation.major} by {asker}"


class PostgresExecutor(NoopExecutor):
    """A running server for pytest-postgresql's client factories, which then clone the migrated template."""

    def __init__(self, template: str, **options: Any) -> None:
        super().__init__(**options)
        self._template = template

    @property
    def template_dbname(self) -> str:
        """The name of the migrated template."""
        return self._template


@dataclass
class Run:
    """The run's server and databases, each made when a test first asks for it."""

    config: Config
    choice: Choice
    cache: ClusterCache | None = None
    """Keeps the prepared cluster between runs; None to build it each time."""
    pgbouncer: dict[str, str] = field(default_factory=dict)
    """The settings of a PgBouncer between the app and its server; none is started if it is empty."""
    fixed_port: int = 0
    """Where an app that reads its address when it is imported connects; 0 if no test runs."""
    report: Report = field(default_factory=Report)
    kept: dict[str, list[str]] = field(default_factory=dict)
    """Test id to the commands that open the databases of a failed test."""
    refusal: str = ""
    """Why no test could run."""
    failure: HarnessError | None = None
    """Why there is no migrated template."""
    complaint: str = ""
    """Why databases were no longer made ahead; a traceback."""
    note: str = ""
    """Why each database was a new clone, where it could have been reset."""
    test: str = ""
    """The id of the test that runs."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Test id to what the server lacks, of the tests deselected."""

    def judge(self, suite: str, findings: Iterable[Finding], exemptions: Iterable[Exemption] | None = None) -> Verdict:
        """Judge the findings of a suite, and add the verdict to the report.

        Without `exemptions` those of `[tool.harness]` apply, and none of them need be used. Returned is the verdict
        without the findings that have failed another test of this run.
        """
        accepted = self.config.exemptions if exemptions is None else ()
        return self.add(suite, judge(findings, exemptions or (), accepted, strict=self.config.strict))

    def add(self, suite: str, verdict: Verdict) -> Verdict:
        """Add the verdict of the current test to the report; return what fails this test and has failed no other."""
        return self.report.add(suite, verdict, self.test)

    def look(self) -> None:
        """Look for the programs that the run will need, without starting any.

        Raises:
            HarnessError: when none fits, or the external server is too old or lacks rights.
        """
        if self.pgbouncer:
            find_pgbouncer()
        if self.choice.external:
            check_rights(self.choice.external, self.choice.major)
            return
        try:
            self.choice.installation()
        except HarnessError as error:
            raise HarnessError(error.what, looked_at=error.looked_at, remedy=(*error.remedy, *OTHERS)) from error

    def prepare(self) -> None:
        """Make the migrated template, unless it exists.

        Raises:
            HarnessError: when the migrations fail, or the server's disk is full.
        """
        try:
            if self.choice.external is None and self.cluster.failure:
                raise self.cluster.failure
            self.databases.template(migrated=True)
        except HarnessError as error:
            self.failure = error
            raise self.explain(error) or error from None

    @cached_property
    def major(self) -> int:
        """The server's major version.

        Raises:
            HarnessError: when no server is found.
        """
        if self.choice.external is None:
            return self.choice.installation().major
        with self.choice.external.connect() as connection:
            return connection.info.server_version // 10000

    @cached_property
    def superuser(self) -> bool:
        """Whether the run's server lets the harness act as a superuser."""
        return self.choice.external is None or check_rights(self.choice.external, self.choice.major)

    @cached_property
    def cluster(self) -> Cluster:
        """The run's own cluster, started.

        Raises:
            HarnessError: when the run uses a server that someone else runs, or no Postgres fits.
        """
        if self.choice.external:
            raise HarnessError(
                "this test needs a server that the harness starts, but --postgresql-host was given",
                remedy="run it without --postgresql-host",
            )
        return prepared_cluster(self.choice.installation(), self.config, self.cache)

    @cached_property
    def databases(self) -> Databases:
        """The databases on the run's server."""
        return (
            self._on_external(self.choice.external) if self.choice.external else databases_on(self.cluster, self.config)
        )

    @cached_property
    def loans(self) -> Loans:
        """The databases lent by `new_database()`, on a server that has started and migrated its template."""
        self.databases.template(migrated=True)
        return Loans(self.databases)

    @contextlib.contextmanager
    def own_cluster(self) -> Iterator[Databases]:
        """Start a second cluster, for a test that stops or reconfigures its server; yields its databases.

        libpq's variables, which are there for an external server, are dropped for the time.
        """
        dropped = drop_variables()
        cluster = prepared_cluster(self.choice.installation(), self.config, self.cache)
        try:
            with contextlib.closing(databases_on(cluster, self.config, alone=True)) as databases:
                yield databases
        finally:
            cluster.close()
            os.environ.update(dropped)

    @contextlib.contextmanager
    def address_for_app(self, database: Database) -> Iterator[Address]:
        """Yield where the app connects to a database: at its server, or at a PgBouncer that runs inside the block."""
        if not self.pgbouncer:
            yield database.address
            return
        logins = [database.as_role(role).address for role in LOGINS]
        with pgbouncer(database.server, logins, self.pgbouncer) as address:
            yield address

    def executor(self) -> PostgresExecutor:
        """Return the server as pytest-postgresql's client factories take it."""
        server = self.databases.server
        return PostgresExecutor(
            template=self.databases.template(migrated=True).name,
            host=server.host,
            port=server.port,
            user=server.user,
            password=server.password,
            options="",
            dbname=f"{self.databases.prefix}_client",
            maintenance_dbname=server.maintenance,
        )

    def explain(self, error: BaseException) -> HarnessError | None:
        """Return what to do about a full disk, if a statement met one; None for any other error."""
        own = "cluster" in self.__dict__ and self.cluster.run.path
        return disk_full(own or None, cause) if (cause := cause_full(error)) else None

    @contextlib.contextmanager
    def lend(
        self, test: pytest.Item, databases: Databases, *, migrated: bool = True, connected: bool = False
    ) -> Iterator[Database]:
        """Lend a fresh database to a test; that of a failed test is kept until the run ends."""
        begun = perf_counter()
        unused = test.get_closest_marker("fresh_clone") is not None
        fresh = databases.create(migrated=migrated, unused=unused, connected=connected)
        spent = perf_counter() - begun
        test.user_properties.append(("database", fresh.how))
        if not databases.alone:  # else its server ends with the test
            test.stash.setdefault(LENT, []).append(fresh)
        yield fresh
        begun = perf_counter()
        fresh.dispose()
        if not test.stash.get(FAILED, False):
            databases.drop(fresh)
        spent += perf_counter() - begun
        test.user_properties.append(("database ms", f"{spent * 1000:.1f}"))

    def keep(self, test: pytest.Item) -> list[str]:
        """Keep the databases that a failed test has used, and return the commands that open them."""
        used = test.stash.get(LENT, [])
        if {"new_database", "new_api"} & {*getattr(test, "fixturenames", ())} and "loans" in self.__dict__:
            used = [*used, *self.loans.keep()]
        bindir = self.cluster.installation.bindir if "cluster" in self.__dict__ else None
        commands = [psql_command(database.as_role("superuser").dsn, bindir) for database in used]
        if commands:
            self.kept[test.nodeid] = commands
        return commands

    def settle(self, test: pytest.Item) -> None:
        """Take back what a test that has ended did not give back itself; a plugin may run it again."""
        test.stash[FAILED] = False
        test.stash[LENT] = []
        if "loans" in self.__dict__:
            self.loans.settle()

    def close(self, *, keep: bool = False) -> None:
        """End the run's server, unless `keep` and a database is kept; on an external server drop what was made."""
        keep = keep and bool(self.kept)
        if "databases" in self.__dict__:
            self.complaint = self.databases.failure
            self.note = self.databases.note
            if self.choice.external and not keep:
                self.databases.clear()
                self.databases.roles.drop(self.databases.server)
            self.databases.close()
        if "cluster" in self.__dict__:
            self.cluster.close(keep=keep)

    def _on_external(self, server: Address) -> Databases:
        self.look()
        prefix = f"h{secrets.token_hex(4)}"
        return Databases(server, self.config, Roles(self.config.roles_path, prefix, guarded=True), prefix)


RUN = pytest.StashKey[Run]()
"""On pytest's config: this run."""

FAILED = pytest.StashKey[bool]()
"""On a test: whether a phase of it failed."""

LENT = pytest.StashKey[list[Database]]()
"""On a test: the databases lent to it."""
