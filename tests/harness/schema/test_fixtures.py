"""Schema tests get a judge whose failures are findings, and a read-only database."""

from __future__ import annotations

import re

import pytest

from harness.__main__ import main
from harness.databases.databases import Database
from tests.harness.projects import write_revision

pytestmark = pytest.mark.slow

JUDGED = """
from harness.findings import Exemption, Finding, Rule

RULE = Rule("word-too-long", "error", "Words are short", "nobody reads them", "use another word")
FOUND = [Finding(RULE, "public.item.name", "it has 40 letters")]

def test_found(judge, harness_run, harness_config):
    judge("schema", FOUND)

def test_accepted(judge):
    judge("schema", FOUND, [Exemption("word-too-long", "public.item.name", "it is what the law calls it")])

def test_stale(judge):
    judge("schema", [], [Exemption("word-too-long", "public.item.name", "it is what the law calls it")])
"""
ALL = """
from pathlib import Path

import harness.schema.rules
from harness.schema.exemptions import read_exemptions
from harness.schema.options import Options, findings

def test_all(catalog, judge):
    judge("schema", findings(catalog, Options()), read_exemptions(Path("accepted.toml")))
"""
WRITES = """
import psycopg
import pytest

WRITE = "INSERT INTO item (name) VALUES ('a')"

def test_as_it_is_given(database):
    with database.connect() as connection:
        connection.read_only = False
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(WRITE)

def test_by_its_engine(database):
    with database.engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION READ WRITE")
        with pytest.raises(Exception, match="permission denied"):
            connection.exec_driver_sql(WRITE)

@pytest.mark.parametrize("role", ["migrator", "app", "superuser"])
def test_as_another(database, role):
    with database.as_role(role).connect() as connection:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute(WRITE)
"""


def test_a_failure_of_the_judge_is_its_findings(project: pytest.Pytester) -> None:
    """Rule, object, message, why and fix: neither the run's configuration nor a traceback stands around them."""
    project.makepyfile(**{"tests/schema/test_it": JUDGED})
    result = project.runpytest_inprocess("tests/schema")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        ["error: word-too-long: public.item.name at *", "  it has 40 letters", "  why: nobody reads them"]
    )
    result.stdout.fnmatch_lines(["*stale-exemption: word-too-long:public.item.name"])
    for noise in ("*Session(*", "*Config(*", "*Traceback*", "*def test_found*"):
        result.stdout.no_fnmatch_line(noise)


def test_both_doors_say_the_same(
    project: pytest.Pytester, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """A finding and a stale exemption have one text for pytest and command; only a project knows the place."""
    accepted = '{ rule = "column-json", object = "public.gone.a", reason = "it is what the importer sends us" }'
    (project.path / "accepted.toml").write_text(f"exemptions = [{accepted}]", encoding="utf-8")
    versions = project.path / "migrations" / "versions"
    write_revision(versions, "0002", "0001", "CREATE TABLE loose (id bigint)", "DROP TABLE loose")
    project.makepyfile(**{"tests/schema/test_it": ALL})
    inside = re.sub(r" at migrations/\S+", "", project.runpytest_inprocess("tests/schema").stdout.str())
    with database.as_role("superuser").connect(autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE loose (id bigint)")
    capsys.readouterr()
    assert main(["schema", database.dsn, "--exempt", str(project.path / "accepted.toml")]) == 1
    printed = [text for text in capsys.readouterr().out.split("\n\n") if text.startswith("error: ")]
    assert {text.split(": ")[1] for text in printed} >= {"table-without-primary-key", "stale-exemption"}
    assert [text for text in printed if text not in inside] == []


def test_the_judge_takes_the_projects_exemptions(project: pytest.Pytester) -> None:
    """Where a test names none, those of `[tool.harness]` that its findings meet."""
    path = project.path / "pyproject.toml"
    accepted = '[{ rule = "word-too-long", object = "public.item.name", reason = "it is what the law calls it" }]'
    both = "supported = [15, 18]"
    path.write_text(path.read_text().replace(both, f"{both}\nexemptions = {accepted}"))
    project.makepyfile(**{"tests/schema/test_it": JUDGED})
    project.runpytest_inprocess("tests/schema", "-k", "found").assert_outcomes(passed=1)


def test_a_schema_test_has_no_right_to_write(project: pytest.Pytester) -> None:
    """`connection.read_only = False` ends at the role; other roles meet READ ONLY, which is their default only."""
    project.makepyfile(**{"tests/schema/test_it": WRITES})
    project.runpytest_inprocess("tests/schema").assert_outcomes(passed=5)
