"""Merge the JUnit files of several runs, and print a summary of tests and coverage in Markdown.

`python -m tools.junit_summary FOLDER MERGED` reads FOLDER/<run>/report.xml of each run and writes MERGED. It needs no
installed package.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

COUNTS = ("tests", "failures", "errors", "skipped")


def read_runs(folder: Path) -> dict[str, list[Element]]:
    """Return the test suites of each run, by the name of the run's folder."""
    paths = sorted(folder.glob("*/report.xml"))
    return {path.parent.name: list(read(path).iter("testsuite")) for path in paths}


def read(path: Path) -> Element:
    """Return the root element of the XML file at `path`.

    Raises:
        SystemExit: when it is not XML, for example because the run was interrupted.
    """
    try:
        return ET.parse(path).getroot()  # noqa: S314 - our own
    except ET.ParseError as error:
        sys.exit(f"junit_summary: {path} is not XML: {error}\n  remedy: repeat the run, or remove the file")


def merge(runs: dict[str, list[Element]]) -> Element:
    """Return one document with all suites, each named after its run."""
    merged = Element("testsuites")
    for run, suites in runs.items():
        for suite in suites:
            suite.set("name", run)
            merged.append(suite)
    return merged


def total(suites: list[Element], count: str) -> int:
    """Return the sum of one of `COUNTS` over the suites."""
    return sum(int(suite.get(count, "0")) for suite in suites)


def failed(runs: dict[str, list[Element]]) -> dict[str, list[str]]:
    """Return each failed test with the runs in which it failed."""
    found: dict[str, list[str]] = {}
    for run, suites in runs.items():
        for case in (case for suite in suites for case in suite.iter("testcase")):
            if case.find("failure") is not None or case.find("error") is not None:
                found.setdefault(f"{case.get('classname')}::{case.get('name')}", []).append(run)
    return found


def summary(runs: dict[str, list[Element]]) -> Iterator[str]:
    """Yield the lines of a table of runs, and of a list of failed tests."""
    yield from ("## Tests", "", f"| run | {' | '.join(COUNTS)} | seconds |", f"| --- |{' ---: |' * (len(COUNTS) + 1)}")
    for run, suites in runs.items():
        seconds = sum(float(suite.get("time", "0")) for suite in suites)
        yield f"| {run} | {' | '.join(str(total(suites, count)) for count in COUNTS)} | {seconds:.0f} |"
    for test, where in failed(runs).items():
        yield f"\n- `{test}` failed in {'every run' if len(where) == len(runs) else ', '.join(where)}"


def coverage(folder: Path) -> Iterator[str]:
    """Yield a line for each run that measured coverage."""
    for path in sorted(folder.glob("*/coverage.xml")):
        report = read(path)
        lines, branches = (float(report.get(f"{kind}-rate", "0")) for kind in ("line", "branch"))
        yield f"\n{path.parent.name} covered {lines:.1%} of the lines and {branches:.1%} of the branches."


def main() -> None:
    """Merge the files and print the summary; exit with 1 when there are none."""
    parser = argparse.ArgumentParser(prog="junit_summary", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("merged", type=Path, metavar="MERGED")
    options = parser.parse_args()
    runs = read_runs(options.folder)
    if not runs:
        sys.exit(f"junit_summary: no run has written results\n  looked at: {options.folder}/*/report.xml")
    ET.ElementTree(merge(runs)).write(options.merged, encoding="utf-8", xml_declaration=True)
    print("\n".join((*summary(runs), *coverage(options.folder))))


if __name__ == "__main__":
    main()
