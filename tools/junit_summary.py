"""One result from the JUnit files of several runs: a merged file, and a summary in Markdown, with what they covered.

`python -m tools.junit_summary FOLDER MERGED` reads each FOLDER/<run>/report.xml, writes MERGED, and prints the summary.
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
    """The test suites that each run has reported, by the name of its folder."""
    paths = sorted(folder.glob("*/report.xml"))
    return {path.parent.name: list(read(path).iter("testsuite")) for path in paths}


def read(path: Path) -> Element:
    """The document in `path`.

    Raises:
        SystemExit: when it is none, as after a run that was ended while it wrote.
    """
    try:
        return ET.parse(path).getroot()  # noqa: S314 - our own
    except ET.ParseError as error:
        sys.exit(
            f"results: {path} is no XML ({error}), as after a run that was ended: run it again, or remove the file"
        )


def merge(runs: dict[str, list[Element]]) -> Element:
    """All suites as one document, each under the name of its run."""
    whole = Element("testsuites")
    for run, suites in runs.items():
        for suite in suites:
            suite.set("name", run)
            whole.append(suite)
    return whole


def total(suites: list[Element], count: str) -> int:
    """How many tests of these suites there were, failed, and so on."""
    return sum(int(suite.get(count, "0")) for suite in suites)


def failed(runs: dict[str, list[Element]]) -> dict[str, list[str]]:
    """Each test that failed, with the runs in which it did."""
    found: dict[str, list[str]] = {}
    for run, suites in runs.items():
        for case in (case for suite in suites for case in suite.iter("testcase")):
            if case.find("failure") is not None or case.find("error") is not None:
                found.setdefault(f"{case.get('classname')}::{case.get('name')}", []).append(run)
    return found


def summary(runs: dict[str, list[Element]]) -> Iterator[str]:
    """A table of the runs, and the tests that failed: in all of them or in some."""
    yield from ("## Tests", "", f"| run | {' | '.join(COUNTS)} | seconds |", f"| --- |{' ---: |' * (len(COUNTS) + 1)}")
    for run, suites in runs.items():
        seconds = sum(float(suite.get("time", "0")) for suite in suites)
        yield f"| {run} | {' | '.join(str(total(suites, count)) for count in COUNTS)} | {seconds:.0f} |"
    for test, where in failed(runs).items():
        yield f"\n- `{test}` failed in {'every run' if len(where) == len(runs) else ', '.join(where)}"


def coverage(folder: Path) -> Iterator[str]:
    """What each run that measured it has covered."""
    for path in sorted(folder.glob("*/coverage.xml")):
        whole = read(path)
        lines, branches = (float(whole.get(f"{kind}-rate", "0")) for kind in ("line", "branch"))
        yield f"\n{path.parent.name} covered {lines:.1%} of the lines and {branches:.1%} of the branches."


def main() -> None:
    """Merge, and exit with 1 when nothing was reported."""
    parser = argparse.ArgumentParser(prog="results", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("merged", type=Path, metavar="MERGED")
    asked = parser.parse_args()
    runs = read_runs(asked.folder)
    if not runs:
        sys.exit(f"results: no {asked.folder}/*/report.xml: no run has written its results there")
    ET.ElementTree(merge(runs)).write(asked.merged, encoding="utf-8", xml_declaration=True)
    print("\n".join((*summary(runs), *coverage(asked.folder))))


if __name__ == "__main__":
    main()
