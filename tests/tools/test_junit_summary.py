"""The JUnit files of several runs, merged into one file and one summary."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tools.junit_summary import main

REPORT = """<testsuites><testsuite name="pytest" tests="2" failures="{failures}" errors="0" skipped="0" time="1.6">
<testcase classname="tests.test_a" name="test_one"/>
<testcase classname="tests.test_a" name="test_two">{failure}</testcase>
</testsuite></testsuites>"""


def report(folder: Path, run: str, failure: str = "") -> None:
    """Write the report of a run into its folder."""
    (folder / run).mkdir()
    (folder / run / "report.xml").write_text(REPORT.format(failure=failure, failures=int(bool(failure))))


def test_runs_become_one_document_and_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file holds every test under the name of its run; the summary names each failed test and its run."""
    report(tmp_path, "python-3.11")
    report(tmp_path, "python-3.13", '<failure message="no"/>')
    (tmp_path / "python-3.13" / "coverage.xml").write_text('<coverage line-rate="1" branch-rate="0.975"/>')
    monkeypatch.setattr(sys, "argv", ["junit_summary", str(tmp_path), str(tmp_path / "merged.xml")])
    main()
    merged = ET.parse(tmp_path / "merged.xml")
    assert [suite.get("name") for suite in merged.iter("testsuite")] == ["python-3.11", "python-3.13"]
    assert len([*merged.iter("testcase")]) == 4
    shown = capsys.readouterr().out
    assert "| python-3.13 | 2 | 1 | 0 | 0 | 2 |" in shown
    assert "`tests.test_a::test_two` failed in python-3.13" in shown
    assert "python-3.13 covered 100.0% of the lines and 97.5% of the branches" in shown


def test_an_incomplete_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted run gives an error that names its file, not a traceback."""
    report(tmp_path, "python-3.11")
    (tmp_path / "python-3.11" / "report.xml").write_text("<testsuites><testsuite")
    monkeypatch.setattr(sys, "argv", ["junit_summary", str(tmp_path), str(tmp_path / "merged.xml")])
    with pytest.raises(SystemExit, match=r"python-3\.11/report\.xml is not XML"):
        main()


def test_both_arguments_are_required(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With one argument the error names the missing one."""
    monkeypatch.setattr(sys, "argv", ["junit_summary", "build"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "required: MERGED" in capsys.readouterr().err


def test_no_results_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If no run wrote a file, the job fails and says so."""
    monkeypatch.setattr(sys, "argv", ["junit_summary", str(tmp_path), str(tmp_path / "merged.xml")])
    with pytest.raises(SystemExit, match="no run has written results"):
        main()
