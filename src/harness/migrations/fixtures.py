"""Fixtures of the migrations suite: each revision of the project, judged.

The suite is imported when a test asks for it: its import takes a sixth of pytest's own start.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from harness.alembic_config import alembic_config
from harness.config import Config, load_config
from harness.errors import HarnessError
from harness.findings import Verdict
from harness.postgres.admin import Administrator
from harness.postgres.roles import Roles
from harness.postgres.server import Cluster
from harness.run import Run

if TYPE_CHECKING:
    from alembic.script import Script

    from harness.migrations.judge import Judge, SchemaRules
    from harness.migrations.project import Project
    from harness.migrations.result import RevisionResult

PARAMETRIZED = pytest.StashKey[bool]()
"""On a test function: a module that imports the hook as well, by its old name, does not call it again."""


def project_of(config: Config) -> Project:
    """Return the project under test."""
    from harness.migrations.history import History
    from harness.migrations.project import Project

    return Project(History(alembic_config(config), config.root), config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test a revision, oldest first, of a test that asks for `judge_revision`."""
    if "judge_revision" in metafunc.fixturenames and not metafunc.definition.stash.get(PARAMETRIZED, False):
        metafunc.definition.stash[PARAMETRIZED] = True
        try:
            found = [script.revision for script in project_of(load_config(metafunc.config.rootpath)).history.revisions]
        except HarnessError as error:  # raised by the test, so that the run's own refusal is the only message
            metafunc.parametrize("judge_revision", [error], indirect=True, ids=["unreadable"])
        else:
            metafunc.parametrize("judge_revision", found, indirect=True, ids=found)


@pytest.fixture(scope="session")
def migration_judge(
    harness_config: Config, cluster: Cluster, migration_schema_rules: SchemaRules | None, request: pytest.FixtureRequest
) -> Iterator[Judge]:
    """The judge of the project's history, on the run's own server, where it makes scratch databases."""
    from harness.migrations.command import ROWS
    from harness.migrations.project import make_judge
    from harness.migrations.tracing.scratch_databases import ScratchDatabases

    project = project_of(harness_config)
    administrator = Administrator(cluster.address, cluster.run.path)
    scratch = ScratchDatabases(administrator, Roles(harness_config.roles_path, harness_config.role_prefix))
    judge = make_judge(project, cluster.installation, ROWS, migration_schema_rules, lambda: scratch)
    if request.config.getoption("no_cache", False):
        judge.cache = None
    yield judge
    judge.close()
    administrator.close()


@pytest.fixture
def judge_revision(
    request: pytest.FixtureRequest, migration_judge: Judge, harness_run: Run, harness_config: Config
) -> Callable[[], Verdict]:
    """`judge_revision()`: judges the revision of this test, and fails with findings and the table of statements."""
    from harness.migrations.result import COLUMNS, statements_table
    from harness.migrations.verdict import judge_revision as judge_one

    def judged() -> Verdict:
        if isinstance(request.param, HarnessError):
            raise request.param
        script = _script(migration_judge, request.param)
        result = migration_judge.judge(script)
        harness_run.report.row("Migrations", COLUMNS, _row(result))
        verdict = harness_run.add("migrations", judge_one(project_of(harness_config), script, result))
        verdict.enforce(statements_table(result))
        if harness_run.failure:
            raise harness_run.failure
        return verdict

    return judged


def _script(judge: Judge, revision: str) -> Script:
    return next(item for item in judge.history.revisions if item.revision == revision)


def _row(judged: RevisionResult) -> tuple[str, ...]:
    """The row of the summary; times of a trace that was remembered are marked."""
    return (*judged.row[:-1], f"{judged.row[-1]} (cached)" if judged.cached else judged.row[-1])
