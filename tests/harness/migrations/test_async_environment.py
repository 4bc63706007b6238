"""An env.py that connects by itself with an asynchronous engine, as Alembic's async template does."""

from __future__ import annotations

import importlib.resources

import pytest

from tests.harness.projects import write_revision

pytestmark = pytest.mark.slow

TESTS = """
from pytest_alembic.tests import test_single_head_revision, test_up_down_consistency, test_upgrade

from harness.migrations.model_drift import model_drift

def test_a_revision_does_no_harm(judge_revision):
    judge_revision()

def test_a_test_has_what_the_revisions_make(database):
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM item").fetchone() == (0,)

def test_autogenerate_has_nothing_to_write(database, alembic_config, judge, harness_config):
    judge("migrations", model_drift(database.engine, alembic_config, harness_config.metadata))
"""


@pytest.fixture
def shop(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """The small project, with Alembic's async template and a second revision that blocks writers."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.path / "cache"))
    template = (importlib.resources.files("alembic") / "templates/async/env.py").read_text(encoding="utf-8")
    assert template.count("target_metadata = None") == 1
    env = template.replace("target_metadata = None", "from shop.app import metadata as target_metadata")
    (project.path / "migrations" / "env.py").write_text(env, encoding="utf-8")
    versions = project.path / "migrations" / "versions"
    build = 'op.create_index("item_name", "item", ["name"])'
    write_revision(versions, "0002", "0001", build, 'op.drop_index("item_name")')
    folder = project.path / "tests" / "migrations"
    folder.mkdir()
    (folder / "test_all.py").write_text(TESTS, encoding="utf-8")
    return project


def test_alembics_async_template_works_unchanged(shop: pytest.Pytester) -> None:
    """Tests get their databases, every revision is traced, and the index build and the drift are found."""
    result = shop.runpytest_inprocess("--no-cache", "tests/migrations")
    result.assert_outcomes(passed=5, failed=2)
    result.stdout.fnmatch_lines(["error: index-build-blocking: public.item.item_name at migrations/versions/0002.py:*"])
    result.stdout.fnmatch_lines(["error: model-drift: *item_name*"])


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_an_environment_that_connects_elsewhere_is_reported_how_to_take_the_database(
    shop: pytest.Pytester, driver: str
) -> None:
    """It stops the run once, with the line of env.py that connects."""
    env = shop.path / "migrations" / "env.py"
    own = f"config.set_main_option('sqlalchemy.url', 'postgresql+{driver}://shop@127.0.0.1:1/shop')"
    env.write_text(env.read_text(encoding="utf-8").replace("as target_metadata", f"as target_metadata\n{own}"), "utf-8")
    result = shop.runpytest_inprocess("--no-cache", "tests/migrations")
    result.stdout.fnmatch_lines(
        [
            "migrations/env.py, line *",
            "  looked at: async with connectable.connect() as connection:",
            "  remedy: let env.py use *",
        ]
    )
    assert len(result.outlines) < 20
