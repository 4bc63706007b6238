"""The pytest plugin: options, markers, and which tests need a server. `pytest_plugins` names the fixtures' modules."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.alembic_config import refuse_conflict
from harness.config import Config, load_config
from harness.databases.cache import ClusterCache
from harness.errors import HarnessError
from harness.failures.collection import uncollected
from harness.failures.failures import Failures, is_explained
from harness.frames import shown
from harness.migration_errors import MigrationError, states
from harness.postgres.address import Address
from harness.postgres.environment import drop_variables
from harness.postgres.external_server import read_address
from harness.postgres.os_account import user_cache
from harness.postgres.pgbouncer import read_settings
from harness.run import FAILED, RUN, Choice, Run
from harness.stale_exemptions import SUITES, StaleExemptions
from harness.wire.fixed_address import FixedAddress

pytest_plugins = ("harness.fixtures", "harness.api.fixtures", "harness.migrations.fixtures")

MARKERS = {
    "integration": "needs Postgres; added to every test that asks for a database",
    "migrations": "judges the migrations; added to every test in tests/migrations",
    "schema": "judges the schema, read-only; added to every test in tests/schema",
    "api": "judges the API over HTTP, with the database as a black box; added to every test in tests/api",
    "slow": "takes more than a second or two; runs in the session `full` and in CI",
    "nightly": "takes minutes, or measures; runs in the session `full` only",
    "own_cluster": "stops or reconfigures its server, and so gets a second one",
    "fresh_clone": "gets a new clone of the template, never a database that another test had",
    "since(major)": "needs this major version of Postgres or a newer one; deselected and listed on an older one",
    "superuser": "needs a superuser; deselected and listed on a server where the run has none",
}
UNPREPARED = pytest.StashKey[dict[str, pytest.Item]]()
"""On pytest's config: each error of the harness in a set-up, and the first test that met it."""

NEED_POSTGRES = {"catalog", "cluster", "harness_databases", "postgresql_proc"}
"""The fixtures that start a server; every other fixture that needs one asks for one of these."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the command line."""
    group = parser.getgroup("harness", "fresh Postgres databases")
    group.addoption("--pg", type=int, metavar="MAJOR", help="run on this major version of Postgres, such as 15")
    pooler = "run the app behind PgBouncer with this setting, such as pool_mode=transaction; may be repeated"
    group.addoption("--pgbouncer", action="append", default=[], metavar="NAME=VALUE", help=pooler)
    group.addoption("--keep-db", action="store_true", help="keep the databases of failed tests after the run")
    group.addoption("--no-cache", action="store_true", help="build cluster and template again, and do not cache them")
    group.addoption("--harness-json", metavar="FILE", type=Path, help="write findings, exemptions and tables as JSON")
    group.addoption("--harness-markdown", metavar="FILE", type=Path, help="append the same as Markdown")


def pytest_configure(config: pytest.Config) -> None:
    """Read the project's configuration, and register the markers."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    try:
        run = config.stash[RUN] = _run(config)
    except HarnessError as error:
        pytest.exit(str(error), returncode=2)
    for each in (Failures(run), StaleExemptions(run.config, run.report)):
        config.pluginmanager.register(each)


def _run(config: pytest.Config) -> Run:
    if not hasattr(config, "workerinput"):
        for form in ("json", "markdown"):
            _check_writable(f"--harness-{form}", config.getoption(f"harness_{form}"))
    project = load_config(config.rootpath)
    refuse_conflict(project)
    server = read_address(
        *(config.getoption(f"postgresql_{part}") for part in ("host", "port", "user", "password", "maintenance_dbname"))
    )
    fixed = FixedAddress()
    config.add_cleanup(fixed.close)
    _prepare_environment(config, project, server, fixed.dsn)
    choice = Choice(project.postgres, config.getoption("pg"), config.getoption("postgresql_exec"), server)
    cache = None if config.getoption("no_cache") else ClusterCache(user_cache())
    return Run(project, choice, cache, read_settings(config.getoption("pgbouncer")), fixed.port)


def _check_writable(option: str, path: Path | None) -> None:
    """Refuse a file that cannot be written before the tests run, not after.

    A file that did not exist is removed again: workers of xdist, which learn of this option later, would take it for a
    test path.
    """
    try:
        if path and not path.exists():
            path.touch()
            path.unlink()
        elif path:
            path.open("a").close()
    except OSError as error:
        raise HarnessError(
            f"{option} {path} cannot be written: {error.strerror}", remedy="name another file"
        ) from error


def _prepare_environment(config: pytest.Config, project: Config, server: Address | None, dsn: str) -> None:
    """Give this process the app's settings for tests, until pytest ends.

    The address of the developer's database is replaced by `dsn`, for modules that read it when they are imported.
    libpq's variables are dropped unless they are for the `server` given. Settings may also come from the file that a
    variable with the suffix _FILE names.
    """
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    patch.delenv(f"{project.database_env}_FILE", raising=False)
    for name, value in {**project.environment, project.database_env: dsn}.items():
        patch.setenv(name, value)
    if server is None:
        drop_variables()


def pytest_report_header(config: pytest.Config) -> str:
    """Return which Postgres would be taken, and why."""
    run = config.stash[RUN]
    pooler = ", behind PgBouncer: " + " ".join(map("=".join, run.pgbouncer.items())) if run.pgbouncer else ""
    return run.choice.describe() + pooler


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Mark each test by its folder and its fixtures, let `-m` select, and look for the Postgres that the rest needs."""
    tests = Path(config.rootpath) / "tests"
    for item in items:
        if item.path.is_relative_to(tests) and (folder := item.path.relative_to(tests).parts[0]) in SUITES:
            item.add_marker(folder)
        if item.get_closest_marker("nightly"):
            item.add_marker("slow")
        if NEED_POSTGRES & _fixtures(item):
            item.add_marker("integration")
    yield
    if config.stash[RUN].refusal:
        items.clear()
    try:
        if not config.option.collectonly and any(item.get_closest_marker("integration") for item in items):
            _leave_out(config, items)
            config.stash[RUN].look()
            config.stash[RUN].prepare()
    except MigrationError as error:
        judges = [item for item in items if _judges(item, error.file)]
        other = f"no other test was run, because no database can be made without {shown(error.file)}"
        _stop(config, items, other if judges else str(error), judges)
    except HarnessError as error:
        _stop(config, items, str(error))


def _leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests that need a newer server, or a superuser that the run does not have."""
    run = config.stash[RUN]
    run.left_out = {item.nodeid: reason for item in items if (reason := _lacking(run, item))}
    if wanting := [item for item in items if item.nodeid in run.left_out]:
        items[:] = [item for item in items if item.nodeid not in run.left_out]
        config.hook.pytest_deselected(items=wanting)


def _lacking(run: Run, item: pytest.Item) -> str:
    """Return what the run's server lacks for a test; "" if it has all that the test needs."""
    since = item.get_closest_marker("since")
    if since and run.major < since.args[0]:
        return f"needs PostgreSQL {since.args[0]}, and the server is {run.major}"
    if (item.get_closest_marker("superuser") or "cluster" in _fixtures(item)) and not run.superuser:
        return "needs a superuser"
    if run.pgbouncer and item.get_closest_marker("own_cluster"):
        return "stops or reconfigures its server, for which PgBouncer answers"
    return ""


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


def _judges(item: pytest.Item, file: Path) -> bool:
    """Return whether a test judges the revision in a file, and so says more about it than its error."""
    callspec = getattr(item, "callspec", None)
    revision = str(callspec.params.get("judge_revision", "")) if callspec else ""
    return bool(revision) and states(file, revision)


def _stop(config: pytest.Config, items: list[pytest.Item], reason: str, keep: Sequence[pytest.Item] = ()) -> None:
    """Run only the tests in `keep`, print the reason at the end, and exit with 2."""
    items[:] = keep
    config.stash[RUN].refusal = reason


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Merge the results of a worker of xdist; a worker that crashed has none."""
    output = getattr(node, "workeroutput", {})
    run = node.config.stash[RUN]
    run.refusal = run.refusal or output.get("harness_refusal", "")
    run.complaint = run.complaint or output.get("harness_complaint", "")
    run.note = run.note or output.get("harness_note", "")
    run.left_out.update(output.get("harness_left_out", {}))
    run.kept.update(output.get("harness_kept", {}))
    if "harness_report" in output:
        run.report.merge(output["harness_report"])


def pytest_report_teststatus(
    report: pytest.TestReport | pytest.CollectReport, config: pytest.Config
) -> tuple[str, str, str] | None:
    """Show with -vv, after PASSED, where the test's databases came from."""
    how = [text for name, text in getattr(report, "user_properties", ()) if name == "database"]
    if how and report.passed and getattr(report, "when", "") == "call" and config.get_verbosity() > 1:
        return "passed", ".", f"PASSED (database {'; '.join(map(str, how))})"
    return None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """End the run at the first error that is not the test file's own, such as a missing setting or a wrong import."""
    report = yield
    call: pytest.CallInfo[Any] | None = getattr(report, "call", None)
    if call and call.excinfo and (reason := uncollected(call.excinfo.value, collector.path)):
        report.outcome, report.longrepr, report.result = "passed", None, []
        collector.config.stash[RUN].refusal = reason
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note a failure, so that the test's databases are kept, and print their addresses."""
    report = yield
    run = item.config.stash[RUN]
    if report.when == "setup" and call.excinfo and isinstance(call.excinfo.value, HarnessError):
        _skip_repeated(item, report, str(call.excinfo.value))
    if call.excinfo and (reason := run.explain(call.excinfo.value)):
        report.sections.append(("disk full", str(reason)))
    if report.failed:
        item.stash[FAILED] = True
        title, commands = "database, kept until the run ends; --keep-db keeps it longer", run.keep(item)
        if not (call.excinfo and is_explained(call.excinfo.value)):
            report.sections += [(title, command) for command in commands]
    if report.when == "teardown":
        run.settle(item)
    return report


def _skip_repeated(item: pytest.Item, report: pytest.TestReport, text: str) -> None:
    """Skip a test that meets an error which has failed another: pytest prints these in one line, with their number."""
    first = item.config.stash.setdefault(UNPREPARED, {}).setdefault(text, item)
    if first is not item:
        path, line, _ = first.location
        head = text.partition("\n")[0]
        problem = f"Skipped: the same error as {first.name}: {head}"
        report.outcome, report.longrepr = "skipped", (str(item.config.rootpath / path), (line or 0) + 1, problem)


@pytest.hookimpl(trylast=True)  # after an interrupt, pytest tears the fixtures down in this hook
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the run's server, and write the reports; a worker of xdist sends its results to the controller."""
    run = session.config.stash[RUN]
    run.close(keep=bool(session.config.getoption("keep_db")))
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["harness_refusal"] = run.refusal
        output["harness_complaint"] = run.complaint
        output["harness_note"] = run.note
        output["harness_left_out"] = run.left_out
        output["harness_kept"] = run.kept
        output["harness_report"] = run.report.data()
        return
    try:
        if path := session.config.getoption("harness_json"):
            path.write_text(json.dumps(run.report.data(), indent=2) + "\n", encoding="utf-8")
        if path := session.config.getoption("harness_markdown"):
            with path.open("a", encoding="utf-8") as file:
                file.write(run.report.markdown())
    except OSError as error:
        run.refusal = run.refusal or f"{path} cannot be written: {error.strerror}"
    if run.refusal:
        session.exitstatus = 2


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Print the findings, why the run stopped, the tests deselected, and the addresses of kept databases."""
    run = config.stash[RUN]
    kept = run.kept if config.getoption("keep_db") else {}
    keyword = config.option.keyword if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED else ""
    sections = {
        "nothing was tested": keyword and f"-k {keyword!r} matches no test of this run",
        "harness": run.report.plain() if exitstatus != pytest.ExitCode.INTERRUPTED else "",
        "the harness stopped": run.refusal,
        "databases were no longer made ahead": run.complaint,
        "no database was reset": run.note,
        f"{len(run.left_out)} deselected for this server": "\n".join(
            f"{test}: {reason}" for test, reason in run.left_out.items()
        ),
        "databases kept until the next run": "\n".join(
            "\n  ".join([test, *commands]) for test, commands in kept.items()
        ),
    }
    for title, text in sections.items():
        if text:
            terminalreporter.section(title)
            terminalreporter.write_line(text)
