"""The fixtures for a project's tests."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from importlib import import_module
from typing import Any

import alembic.config
import psycopg
import pytest
from pytest_postgresql.executors import NoopExecutor
from sqlalchemy import Engine

from harness.alembic_config import alembic_config as project_alembic_config
from harness.alembic_config import set_url
from harness.api.transport import StatementsSent
from harness.catalog import Snapshot, read_snapshot
from harness.config import Config
from harness.databases.databases import Database, Databases
from harness.findings import Exemption, Finding, Verdict
from harness.postgres.extensions import extension_remedies
from harness.postgres.server import Cluster
from harness.run import RUN, Run
from harness.schema.access.plans import RouteStatement
from harness.schema.access.unindexed import unindexed
from harness.schema.options import findings, read_options
from harness.schema.places import located

BLACK_BOX = (
    "A test marked api sees the database as a black box: it sends HTTP requests and reads answers, so that it holds "
    "when the schema changes. Seed with api.seed(table, rows), look with api.rows(table), or move the test out of "
    "tests/api."
)
ONLY_READ = (
    "A test marked schema only reads: it connects as the role readonly, which has no right to write, and every "
    "transaction in its database is READ ONLY by default, for every role. Move a test that writes out of tests/schema, "
    "or let it ask for empty_database."
)
REFUSALS = ("25006", "42501")
"""The SQLSTATEs of a write in a read-only transaction, and without the right to it."""

READS = pytest.StashKey[bool]()
"""On a test: whether its database is read-only."""

FACTORIES = {
    "database": "with new_database() as database: … (docs/fixtures.md)",
    "connection": "with new_database() as database, database.connect() as connection: … (docs/fixtures.md)",
    "empty_database": "with new_database() as database: … (docs/fixtures.md)",
    "api": "with new_api() as api: … (docs/api.md)",
    "wire": "with new_api() as api: … api.wire … (docs/api.md)",
}
"""Fixtures of one test, and what does the same for a wider scope, or for each example of hypothesis."""

REFUSED = re.compile(r"ScopeMismatch: .* function scoped fixture (\w+) with|uses a function-scoped fixture '(\w+)'")
"""How pytest and hypothesis refuse a fixture of one test."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say what to do about a refused fixture, a refused write, and an extension that the server lacks."""
    report = yield
    if call.excinfo and (text := _hint(call.excinfo.value, only_reads=item.stash.get(READS, False))):
        report.sections.append(("harness", text))
    return report


def _hint(error: BaseException, *, only_reads: bool) -> str:
    if only_reads and getattr(getattr(error, "orig", error), "sqlstate", "") in REFUSALS:
        return ONLY_READ
    if hasattr(error, "sqlstate") or hasattr(error, "orig"):  # of a driver, or of SQLAlchemy
        return "\n".join(f"remedy: {remedy}" for remedy in extension_remedies(str(error)))
    if not (found := REFUSED.search(str(error))):
        return ""
    name = found[1] or found[2]
    use = "For a wider scope or for each example of hypothesis write"
    return f"the fixture {name} belongs to one test. {use}: {FACTORIES[name]}" if name in FACTORIES else ""


@pytest.fixture(scope="session")
def harness_run(request: pytest.FixtureRequest) -> Run:
    """The run: its server, databases and report, each made when first asked for."""
    return request.config.stash[RUN]


@pytest.fixture(scope="session")
def harness_config(harness_run: Run) -> Config:
    """`[tool.harness]` of the project."""
    return harness_run.config


@pytest.fixture(scope="session")
def judge(harness_run: Run) -> Callable[..., Verdict]:
    """`judge(suite, findings, exemptions)`: adds findings to the run's report, and fails the test if there are any.

    An exemption that no finding needs fails the test too. Without `exemptions` those of `[tool.harness]` apply, and
    none of them need be used.
    """

    def judge(suite: str, findings: Iterable[Finding], exemptions: Iterable[Exemption] | None = None) -> Verdict:
        verdict = harness_run.judge(suite, located(findings, harness_run.config), exemptions)
        verdict.enforce()
        return verdict

    return judge


@pytest.fixture(scope="session")
def cluster(harness_run: Run) -> Cluster:
    """The run's own Postgres, started."""
    return harness_run.cluster


@pytest.fixture(scope="session")
def postgresql_proc(harness_run: Run) -> NoopExecutor:
    """The run's server, as pytest-postgresql's client fixtures take it."""
    return harness_run.executor()


@pytest.fixture
def harness_databases(request: pytest.FixtureRequest, harness_run: Run) -> Iterator[Databases]:
    """The databases of the run's server or, in a test marked own_cluster, of a server for this test only."""
    if request.node.get_closest_marker("own_cluster"):
        with harness_run.own_cluster() as databases:
            yield databases
    else:
        yield harness_run.databases


@pytest.fixture
def database(request: pytest.FixtureRequest, harness_run: Run, harness_databases: Databases) -> Iterator[Database]:
    """A fresh database at head, as the migrator, who owns every object; in the schema suite as readonly."""
    _refuse_in_api(request)
    with harness_run.lend(request.node, harness_databases) as fresh, contextlib.ExitStack() as stack:
        looks = request.node.get_closest_marker("schema")
        yield stack.enter_context(_only_read(request, harness_databases, fresh)) if looks else fresh


@pytest.fixture
def connection(
    request: pytest.FixtureRequest, harness_run: Run, harness_databases: Databases
) -> Iterator[psycopg.Connection[Any]]:
    """A psycopg connection to a fresh database at head, as the migrator; in the schema suite as readonly.

    In a test that also asks for `database` it leads to that one. Without `database` it was opened before the test
    began, which costs the test less.
    """
    _refuse_in_api(request)
    with contextlib.ExitStack() as stack:
        if "database" in request.fixturenames or request.node.get_closest_marker("schema"):
            opened = request.getfixturevalue("database").connect()
        else:
            fresh = stack.enter_context(harness_run.lend(request.node, harness_databases, connected=True))
            opened = harness_databases.connect(fresh)
        yield stack.enter_context(contextlib.closing(opened))


@pytest.fixture
def empty_database(
    request: pytest.FixtureRequest, harness_run: Run, harness_databases: Databases
) -> Iterator[Database]:
    """A fresh database with the roles' privileges and no objects."""
    _refuse_in_api(request)
    with harness_run.lend(request.node, harness_databases, migrated=False) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def new_database(harness_run: Run) -> Callable[[], AbstractContextManager[Database]]:
    """A function whose result is, as the subject of a `with` statement, a fresh database at head.

    It serves fixtures of a module or a session, tests that need several databases, and the examples of hypothesis.
    """
    return harness_run.loans.lend


@pytest.fixture(scope="session")
def catalog(harness_run: Run) -> Snapshot:
    """The catalogue of a database at head, read once, as the role readonly."""
    databases = harness_run.databases
    fresh = databases.create(migrated=True)
    with fresh.as_role("readonly").connect() as connection:
        snapshot = read_snapshot(connection)
    databases.drop(fresh)
    return snapshot


@pytest.fixture(scope="session")
def migration_schema_rules(harness_config: Config) -> Callable[[Snapshot], list[Finding]]:
    """The schema rules, which judge what a revision makes."""
    import_module("harness.schema.rules")  # registers them
    return partial(findings, options=read_options(harness_config.schema))


@pytest.fixture
def alembic_config(harness_config: Config) -> alembic.config.Config:
    """The project's Alembic configuration, as pytest-alembic asks for it."""
    return project_alembic_config(harness_config)


@pytest.fixture
def alembic_engine(alembic_config: alembic.config.Config, empty_database: Database) -> Engine:
    """The migrator's engine on an empty database, as pytest-alembic asks for it; `sqlalchemy.url` names it too."""
    set_url(alembic_config, empty_database.url)
    return empty_database.engine


@pytest.fixture(scope="session")
def statements_judged(harness_run: Run, catalog: Snapshot, statements_sent: StatementsSent) -> Iterator[None]:
    """Judges, at the end of the API suite, the plans of all statements that the app has sent, as the role app."""
    yield
    statements = [
        RouteStatement(item.text, item.types, tuple(sorted(item.routes))) for item in statements_sent.values()
    ]
    databases = harness_run.databases
    fresh = databases.create(migrated=True)
    with fresh.as_role("app").connect() as connection:
        found = unindexed(connection, catalog, statements)
    databases.drop(fresh)
    harness_run.judge("api", located(found, harness_run.config)).enforce()


@contextlib.contextmanager
def _only_read(request: pytest.FixtureRequest, databases: Databases, fresh: Database) -> Iterator[Database]:
    """Make a database read-only by default, and yield it as the role readonly; a refused write's report says so."""
    administrator = databases.pool.foreground.administrator
    administrator.execute("ALTER DATABASE {} SET default_transaction_read_only TO on", fresh.name)
    request.node.stash[READS] = True
    seen = fresh.as_role("readonly")
    yield seen
    seen.dispose()
    administrator.execute("ALTER DATABASE {} RESET default_transaction_read_only", fresh.name)


def _refuse_in_api(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("api"):
        pytest.fail(f"{request.node.name} asks for the fixture {request.fixturename}. {BLACK_BOX}", pytrace=False)
