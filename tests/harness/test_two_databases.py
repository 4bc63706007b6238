"""A project with two databases: the second one's folder is a project with its own migrations."""

from __future__ import annotations

import pytest

from harness.config import Config
from tests.harness.conftest import FILES, OPTIONS
from tests.harness.projects import harness_table, write_project, write_revision

pytestmark = pytest.mark.integration

TABLES = """
    def test_its_own_tables(database):
        with database.connect() as connection:
            found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            assert [name for (name,) in found] == ["alembic_version", {table!r}]
            assert connection.execute("SELECT session_user").fetchone() == ({user!r},)

    def test_its_own_revisions(migration_judge):
        assert [script.revision for script in migration_judge.history.revisions] == [{revision!r}]
    """


def test_each_folder_tests_its_own_database(
    project: pytest.Pytester, harness_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pytest in the root migrates and judges the first database only; in the folder, or with its path, the second."""
    folder = project.path / "billing"
    options = OPTIONS.replace('".", ', '"..", ')
    table = harness_table("billing", harness_config.postgres).replace("billing.app", "shop.app")
    write_project(folder, harness_config.roles_path, table + options, {"tests/conftest.py": FILES["tests/conftest.py"]})
    write_revision(folder / "migrations" / "versions", "b1", None, "CREATE TABLE invoice (id bigint PRIMARY KEY)")
    project.makepyfile(
        **{
            "tests/test_it": TABLES.format(table="item", user="shop_migrator", revision="0001"),
            "billing/tests/test_it": TABLES.format(table="invoice", user="billing_migrator", revision="b1"),
        }
    )
    project.runpytest_inprocess().assert_outcomes(passed=2)
    project.runpytest_inprocess("billing/tests").assert_outcomes(passed=2)
    monkeypatch.chdir(folder)
    project.runpytest_inprocess().assert_outcomes(passed=2)
