"""In a project each revision is a test, whose failure has what a developer needs."""

from __future__ import annotations

import pytest

from harness.__main__ import main
from harness.postgres.server import Cluster
from tests.harness.projects import ALEMBIC, write_revision

pytestmark = pytest.mark.slow

TEST = """
def test_a_revision_does_no_harm(judge_revision):
    judge_revision()
"""

IMPORTS = "from harness.migrations.fixtures import judge_revision, migration_judge, pytest_generate_tests\n"

EXEMPTIONS = 'exemptions = {"index-build-blocking:public.item.item_name": "forty rows, and nobody writes at night"}'


@pytest.fixture
def shop(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """The small project, with a test of its revisions and its own cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.path / "cache"))
    (project.path / "tests" / "migrations").mkdir()
    (project.path / "tests" / "migrations" / "test_hazards.py").write_text(TEST, encoding="utf-8")
    return project


def add(shop: pytest.Pytester, exemptions: str = "") -> None:
    """Add a revision that builds an index while its table is locked."""
    build = 'op.create_index("item_name", "item", ["name"])'
    versions = shop.path / "migrations" / "versions"
    upgrade = f"SET lock_timeout = '5s'\n{build}"
    write_revision(versions, "0002", "0001", upgrade, 'op.drop_index("item_name")', exemptions)


def test_a_failure_shows_findings_and_statements(shop: pytest.Pytester) -> None:
    """One test a revision; the failing one names rule, object, fix, and what each statement did."""
    add(shop)
    result = shop.runpytest_inprocess("--no-cache")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "error: index-build-blocking: public.item.item_name at migrations/versions/0002.py:*",
            "*CREATE INDEX item_name ON item (name)",
            "*; Share public.item; public.item * read",
            "revision  statements  strongest lock  rewrites  scans  ms",
            "0002      2           SHARE           0         1 *",
        ]
    )


def test_a_long_revision_is_shown_in_part(shop: pytest.Pytester) -> None:
    """Of a hundred statements, each of several lines, the failure shows the first ones and the last, a line each."""
    many = "\n".join(f'op.execute("""COMMENT ON TABLE item\n    IS \'{number}\'""")' for number in range(100))
    write_revision(shop.path / "migrations" / "versions", "0002", "0001", f"SET lock_timeout = '5s'\n{many}")
    result = shop.runpytest_inprocess("--no-cache")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [" 11  COMMENT ON TABLE item IS '9'", "     … and 89 more", "101  COMMENT ON TABLE item*"]
    )
    assert len(result.outlines) < 80


def test_an_exemption_passes_and_is_printed(shop: pytest.Pytester) -> None:
    """With its reason, in the summary of the run."""
    add(shop, EXEMPTIONS)
    result = shop.runpytest_inprocess("--no-cache")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["Exemptions in force", "*forty rows, and nobody writes at night*"])


def test_a_second_run_traces_nothing(shop: pytest.Pytester) -> None:
    """The table says which rows are remembered."""
    shop.runpytest_inprocess().assert_outcomes(passed=1)
    result = shop.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["0001 *(cached)"])


def test_a_project_that_imports_the_fixtures_by_name_still_runs(shop: pytest.Pytester) -> None:
    """As projects did before the plugin brought them: still one test a revision."""
    (shop.path / "tests" / "migrations" / "test_hazards.py").write_text(IMPORTS + TEST, encoding="utf-8")
    shop.runpytest_inprocess("--no-cache").assert_outcomes(passed=1)


def test_both_doors_say_the_same(shop: pytest.Pytester, cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Traced and read from the file, of design, stale, misspelt: each finding has one text for pytest and command."""
    stale = ["drop-table:public.item", "drop-colunm:public.item.name"]
    names = f"import os\nexemptions = {dict.fromkeys(stale, 'a reason of twenty characters')!r}"
    versions = shop.path / "migrations" / "versions"
    upgrade = """
        op.create_index("item_name", "item", ["name"])
        op.execute(f"COMMENT ON TABLE item IS '{os.environ['HOME']}'")
        ALTER TABLE item ADD COLUMN price money
    """
    write_revision(versions, "0002", "0001", upgrade, "ALTER TABLE item DROP COLUMN price", names)
    inside = shop.runpytest_inprocess("--no-cache").stdout.str()
    capsys.readouterr()
    with (shop.path / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(ALEMBIC)
    program = cluster.installation.program("postgres")
    assert main(["migrations", "--config", file.name, "--postgresql-exec", program]) == 1
    printed = [text for text in capsys.readouterr().out.split("\n\n") if text.startswith("error: ")]
    rules = {"index-build-blocking", "sql-in-fstring", "column-money", "stale-exemption", "downgrade-not-symmetric"}
    assert rules <= {text.split(": ")[1] for text in printed}
    assert [text for text in printed if text not in inside] == []
