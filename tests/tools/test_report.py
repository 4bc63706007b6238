"""`python run.py report`: the page, made from a run's data and the JUnit file next to it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from harness.report.page import Outcome
from harness.report.report import Report
from tools import report

JUNIT = """<?xml version="1.0"?>
<testsuites><testsuite>
<testcase classname="tests.a" name="test_ok" time="0.250"><properties>
<property name="database" value="cloned"/><property name="database ms" value="12.5"/>
<property name="database" value="reset: 1 table"/><property name="database ms" value="2.5"/>
</properties></testcase>
<testcase classname="tests.a" name="test_bad" time="0.1"><failure message="short">the whole story</failure></testcase>
<testcase classname="tests.a" name="test_skipped" time="0.0"><skipped message="no"/></testcase>
</testsuite></testsuites>
"""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data of an empty run; the page goes to the same directory."""
    monkeypatch.setattr(report, "PAGE", tmp_path / "build" / "report.html")
    path = tmp_path / "run.json"
    path.write_text(json.dumps(Report().data()))
    return path


def test_tests_are_read_with_the_cost_of_their_databases(tmp_path: Path) -> None:
    """A test has its databases and the sum of their times; a skipped test is left out."""
    path = tmp_path / "run.xml"
    path.write_text(JUNIT)
    assert report.read_tests(path) == [
        Outcome("tests.a::test_ok", 0.25, "", "", ("cloned", "reset: 1 table"), 15.0),
        Outcome("tests.a::test_bad", 0.1, "short", "the whole story"),
    ]


def test_the_page_can_show_an_earlier_run(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--from FILE` runs no test, reads FILE and the JUnit file next to it, and prints the path of the page."""
    data.with_suffix(".xml").write_text(JUNIT)
    monkeypatch.setattr(sys, "argv", ["report", "--from", str(data)])
    with pytest.raises(SystemExit) as ended:
        report.main()
    assert ended.value.code == 0
    assert str(report.PAGE) in capsys.readouterr().out
    written = report.PAGE.read_text()
    assert "the whole story" in written
    assert "erDiagram" in written


@pytest.mark.parametrize("text", ["", "[]", "{}", "not JSON"])
def test_a_file_that_is_not_a_report_is_rejected(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """The error names the file and the remedy, the exit code is 2, and no page is written."""
    data.write_text(text)
    monkeypatch.setattr(sys, "argv", ["report", "--from", str(data)])
    with pytest.raises(SystemExit) as ended:
        report.main()
    assert ended.value.code == 2
    assert f"{data} is not a report of pytest --harness-json" in capsys.readouterr().err
    assert not report.PAGE.exists()


def test_the_exit_code_is_that_of_the_tests(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If tests fail, the page is written and pytest's exit code returned."""
    monkeypatch.setattr(report, "DATA", data)
    monkeypatch.setattr(report, "run_suites", lambda path: 1)
    monkeypatch.setattr(sys, "argv", ["report"])
    with pytest.raises(SystemExit) as ended:
        report.main()
    assert ended.value.code == 1
    assert report.PAGE.exists()
