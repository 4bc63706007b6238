"""A downgrade that does not restore the schema is one finding, in whichever test."""

from __future__ import annotations

import pytest

from tests.harness.projects import write_revision

pytestmark = pytest.mark.slow

STAIRWAY = """
from alembic.script import ScriptDirectory
from harness.migrations.stairway import stairway

def test_stairway(alembic_runner, alembic_config, empty_database, harness_config, judge):
    scripts = ScriptDirectory.from_config(alembic_config)
    judge("migrations", stairway(alembic_runner, scripts, empty_database, harness_config.root))
"""
HAZARDS = """
def test_hazards(judge_revision):
    judge_revision()
"""
COMMENT = "SET lock_timeout = '3s'\nCOMMENT ON TABLE item IS 'a thing'"
EXEMPTIONS = 'exemptions = {"downgrade-missing:0003": "the comment may stay, it harms no release"}'


def walk(project: pytest.Pytester, upgrade: str, downgrade: str = "", tests: str = "") -> str:
    """Add a revision, and return what the tests print."""
    write_revision(project.path / "migrations" / "versions", "0002", "0001", upgrade, downgrade)
    project.makepyfile(**{"tests/migrations/test_it": tests + STAIRWAY})
    return project.runpytest_inprocess("--no-cache").stdout.str()


@pytest.mark.parametrize(
    ("downgrade", "found"),
    [
        ("", "error: downgrade-missing: 0002 at migrations/versions/0002.py"),
        ("COMMENT ON TABLE item IS 'another'", "error: downgrade-not-symmetric: public.item at migrations/"),
        ("DROP TABLE nothing", "error: downgrade-not-symmetric: 0002 at migrations/versions/0002.py"),
    ],
)
def test_a_downgrade_that_does_not_restore_is_a_finding(project: pytest.Pytester, downgrade: str, found: str) -> None:
    """It does nothing, something else, or fails: a finding without a traceback."""
    shown = walk(project, COMMENT, downgrade)
    assert found in shown
    assert "Traceback" not in shown


def test_the_judge_and_the_stairway_report_a_downgrade_once(project: pytest.Pytester) -> None:
    """The second of the two tests only counts."""
    shown = walk(project, COMMENT, tests=HAZARDS)
    assert shown.count("leaves the schema as upgrade() has made it") == 1
    assert "and 1 more test" in shown
    assert "1 failed, 2 passed" in shown


def test_an_upgrade_that_works_only_once_is_a_finding(project: pytest.Pytester) -> None:
    """Postgres has no statement that removes a label of an enum."""
    write_revision(project.path / "migrations" / "versions", "0003", "0002", label("'b'"))
    shown = walk(project, "CREATE TYPE mood AS ENUM ('a')", "DROP TYPE mood")
    assert 'upgrade() fails after downgrade(): DuplicateObject: enum label "b" already exists' in shown


def test_the_stairway_accepts_what_the_judge_accepts(project: pytest.Pytester) -> None:
    """What the file exempts, and a label that stays."""
    write_revision(project.path / "migrations" / "versions", "0003", "0002", COMMENT, names=EXEMPTIONS)
    write_revision(project.path / "migrations" / "versions", "0004", "0003", label("IF NOT EXISTS 'b'"))
    assert "5 passed" in walk(project, "CREATE TYPE mood AS ENUM ('a')", "DROP TYPE mood", tests=HAZARDS)


def label(value: str) -> str:
    """The body of an upgrade that adds a label."""
    return f'with op.get_context().autocommit_block():\n    op.execute("ALTER TYPE mood ADD VALUE {value}")'
