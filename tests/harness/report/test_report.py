"""A run reports the same on the terminal, as JSON, as Markdown, and from several workers."""

from __future__ import annotations

import json

import pytest

from harness.findings import Exemption, Finding, Rule
from harness.report.report import Report, as_json
from harness.rules import judge

RULE = Rule("no-key", "warning", "A table has a key", "rows cannot be distinguished", "add a primary key")

SUITE = """
    from harness.findings import Exemption, Finding, Rule

    RULE = Rule("no-key", "warning", "A table has a key", "rows cannot be distinguished", "add a primary key")

    def test_shown(judge):
        judge("schema", [Finding(RULE, "public.a", "no key")])

    def test_exempted(judge):
        accepted = Exemption("no-key", "public.b", "a log that nobody reads back")
        judge("schema", [Finding(RULE, "public.b", "no key")], [accepted])

    def test_fails(judge):
        judge("schema", [Finding(RULE, "public.c", "no key", level="error")])

    def test_table(harness_run):
        harness_run.report.row("Routes", ["route", "queries"], ["GET /a|b", 1])
    """

FILES = ("--harness-json", "out.json", "--harness-markdown", "out.md")


def test_a_table_is_padded_for_people_and_escaped_for_markdown() -> None:
    """A pipe inside a cell does not break the table of the CI page."""
    report = Report()
    report.row("Routes", ["route", "queries"], ["GET /a|b", 1])
    assert report.plain() == "Routes\nroute     queries\nGET /a|b  1"
    assert report.markdown() == "### Routes\n\n| route | queries |\n| --- | --- |\n| GET /a\\|b | 1 |\n"


def test_an_empty_report_says_nothing() -> None:
    """A clean run without tables adds no line to the terminal or to the CI page."""
    assert (Report().plain(), Report().markdown()) == ("", "")


def test_a_report_merges_what_workers_collected() -> None:
    """Two workers' findings and rows are in one report, an exemption that both met is there once."""
    accepted = Exemption("no-key", "public.b", "a log that nobody reads back")
    whole = Report()
    for worker in ("a", "c"):
        part = Report()
        found = [Finding(RULE, f"public.{worker}", "no key"), Finding(RULE, "public.b", "no key")]
        part.add("schema", judge(found, [accepted]))
        part.row("Routes", ["route"], [worker])
        whole.merge(json.loads(json.dumps(part.data())))
    assert [item["object"] for item in whole.findings] == ["public.a", "public.c"]
    assert whole.tables["Routes"].rows == [("a",), ("c",)]
    assert whole.plain().count("a log that nobody reads back") == 1


def test_a_finding_in_json_names_a_revision_only_where_there_is_one() -> None:
    """Readers of the JSON find `why` and `fix` always, `revision` and `statement` where one was judged."""
    assert as_json(Finding(RULE, "public.a", "no key"))["fix"] == "add a primary key"
    assert "revision" not in as_json(Finding(RULE, "public.a", "no key"))
    assert as_json(Finding(RULE, "a", "b", revision="0001"))["revision"] == "0001"


def test_a_run_prints_and_writes_what_it_found(project: pytest.Pytester) -> None:
    """The terminal, the JSON file and the Markdown file tell the same; every exemption in force is printed."""
    project.makepyfile(**{"tests/test_it": SUITE})
    assert_reported(project, project.runpytest_inprocess(*FILES))


@pytest.mark.slow
def test_several_workers_report_what_one_would(project: pytest.Pytester) -> None:
    """What each xdist worker found is in the same report."""
    project.makepyfile(**{"tests/test_it": SUITE})
    assert_reported(project, project.runpytest_subprocess(*FILES, "-n", "2"))


def assert_reported(project: pytest.Pytester, result: pytest.RunResult) -> None:
    """The terminal and both files tell the findings, the exemption and the table of `SUITE`."""
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        ["error: no-key: public.c", "*Exemptions in force", "no-key  public.b  a log that nobody*"]
    )
    written = json.loads((project.path / "out.json").read_text())
    assert {item["object"] for item in written["findings"]} == {"public.a", "public.c"}
    assert "| GET /a\\|b | 1 |" in (project.path / "out.md").read_text()
