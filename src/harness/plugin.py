"""The pytest plugin: options, markers, and which test needs what. Its fixtures stand in `harness.fixtures`."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from harness.config import HarnessError, load_config
from harness.fixtures import (
    alembic_config,
    alembic_engine,
    api,
    catalog,
    cluster,
    database,
    empty_database,
    ground,
    harness_config,
    harness_session,
    postgresql_proc,
    service,
)
from harness.postgres.address import Address
from harness.session import FAILED, LENT, SESSION, Choice, Session

__all__ = [
    "alembic_config",
    "alembic_engine",
    "api",
    "catalog",
    "cluster",
    "database",
    "empty_database",
    "ground",
    "harness_config",
    "harness_session",
    "postgresql_proc",
    "service",
]

MARKERS = {
    "integration": "needs Postgres; given to every test that asks for a database",
    "migrations": "judges the migrations; the default in tests/migrations",
    "schema": "judges the schema, read-only; the default in tests/schema",
    "api": "judges the API over HTTP, with the database as a black box; the default in tests/api",
    "slow": "takes more than a few seconds; left to the session `full`",
    "own_cluster": "stops or reconfigures its server, and so gets one of its own",
    "superuser": "needs a superuser; left out, and named, on somebody's server where there is none",
}
FOLDERS = ("migrations", "schema", "api")
NEED_POSTGRES = {"alembic_engine", "api", "catalog", "cluster", "database", "empty_database", "postgresql_proc"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what a user may choose."""
    group = parser.getgroup("harness", "fresh Postgres databases")
    group.addoption("--pg", type=int, metavar="MAJOR", help="the Postgres major to run on, such as 15")
    group.addoption("--keep-db", action="store_true", help="leave the databases of failed tests after the run")


def pytest_configure(config: pytest.Config) -> None:
    """Read the project's configuration, and register the markers."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    try:
        config.stash[SESSION] = _session(config)
    except HarnessError as error:
        pytest.exit(str(error), returncode=2)


def _session(config: pytest.Config) -> Session:
    project = load_config(config.rootpath)
    _forget_settings(project.database_env)
    host = config.getoption("postgresql_host")
    external = None
    if host:
        external = Address(
            host,
            int(config.getoption("postgresql_port") or 5432),
            config.getoption("postgresql_user") or "postgres",
            config.getoption("postgresql_password"),
            config.getoption("postgresql_maintenance_dbname") or "postgres",
        )
    return Session(
        project, Choice(project.postgres, config.getoption("pg"), config.getoption("postgresql_exec"), external)
    )


def _forget_settings(database_env: str) -> None:
    """Drop the app's settings from this process's environment: a developer's database must never reach a test."""
    prefix = database_env.partition("_")[0] + "_"
    for name in [name for name in os.environ if name.startswith(prefix)]:
        del os.environ[name]


def pytest_report_header(config: pytest.Config) -> str:
    """Which Postgres would be taken, and why."""
    return config.stash[SESSION].choice.describe()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Mark each test by its folder and by what it asks for, let `-m` select, and look for what the rest needs."""
    tests = Path(config.rootpath) / "tests"
    for item in items:
        if item.path.is_relative_to(tests) and (folder := item.path.relative_to(tests).parts[0]) in FOLDERS:
            item.add_marker(folder)
        if NEED_POSTGRES & _fixtures(item):
            item.add_marker("integration")
    yield
    _leave_out(config, items)
    _need_postgres(config, items)


def _leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a server that someone else runs, leave out what cannot be done there."""
    run = config.stash[SESSION]
    if run.choice.external is None:
        return
    wanting = [item for item in items if item.get_closest_marker("superuser") or "cluster" in _fixtures(item)]
    if wanting and not run.superuser:
        run.left_out = [item.nodeid for item in wanting]
        items[:] = [item for item in items if item not in wanting]
        config.hook.pytest_deselected(items=wanting)


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


def _need_postgres(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Stop with exit code 2 when a selected test needs a Postgres that is not there.

    Under xdist a worker hands the reason to the controller and runs nothing.
    """
    run = config.stash[SESSION]
    integration = any(item.get_closest_marker("integration") for item in items)
    if run.choice.external or config.option.collectonly or not integration:
        return
    try:
        run.choice.installation()
    except HarnessError as error:
        output: dict[str, Any] | None = getattr(config, "workeroutput", None)
        if output is None:
            pytest.exit(str(error), returncode=2)
        output["harness_refusal"] = str(error)
        items.clear()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker of xdist could not do for the whole run's reason to stop."""
    output = getattr(node, "workeroutput", {})
    node.config.stash[SESSION].kept.update(output.get("harness_kept", {}))
    if "harness_refusal" in output:
        node.config.stash[SESSION].refusal = output["harness_refusal"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember a failure, so that the fixtures keep the test's databases, and print where they are."""
    report = yield
    if call.excinfo and isinstance(call.excinfo.value, HarnessError):
        report.longrepr = str(call.excinfo.value)
    if report.failed:
        item.stash[FAILED] = True
        for lent in item.stash.get(LENT, []):
            report.sections.append(("database, kept to the end of the run", f"psql '{lent.as_role('superuser').dsn}'"))
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the run's server; a worker of xdist hands the list of kept databases on."""
    run = session.config.stash[SESSION]
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["harness_kept"] = run.kept
    run.close(keep=bool(session.config.getoption("keep_db")))
    if run.refusal:
        session.exitstatus = 2


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print why nothing ran, and where the databases of failed tests are."""
    run = config.stash[SESSION]
    if run.refusal:
        terminalreporter.section("harness")
        terminalreporter.write_line(run.refusal)
    if run.left_out:
        terminalreporter.section("left out for want of a superuser")
        terminalreporter.write_line("\n".join(run.left_out))
    if run.kept and config.getoption("keep_db"):
        terminalreporter.section("databases kept until the next run")
        for test, dsn in run.kept.items():
            terminalreporter.write_line(f"{test}\n  psql '{dsn}'")
