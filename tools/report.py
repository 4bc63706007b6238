"""Run the suites and write their results as one HTML page, build/report.html, which needs no network or script."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

from harness.api.latency import OBJECTIVE
from harness.errors import HarnessError
from harness.report.page import Outcome, PageContent, page
from tools.cli import error_exit

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "build" / "report.json"
PAGE = ROOT / "build" / "report.html"
SUITES = "(migrations or schema or api) and not slow"


def run_suites(data: Path) -> int:
    """Run the suites, write the report to `data` and a JUnit file next to it, and return pytest's exit code."""
    data.parent.mkdir(exist_ok=True)
    data.unlink(missing_ok=True)
    outputs = [f"--harness-json={data}", f"--junitxml={data.with_suffix('.xml')}"]
    return subprocess.run([sys.executable, "-m", "pytest", "-m", SUITES, *outputs], cwd=ROOT, check=False).returncode


def read_tests(path: Path) -> list[Outcome]:
    """Return the tests in a JUnit file of pytest; none when the file does not exist."""
    if not path.exists():
        return []
    cases = ET.parse(path).iter("testcase")  # noqa: S314 - written by pytest
    return [_test(case) for case in cases if case.find("skipped") is None]


def _test(case: ET.Element) -> Outcome:
    found = [(item.get("name", ""), item.get("value", "")) for item in case.iter("property")]
    spent = [float(value) for name, value in found if name == "database ms"]
    wrong = [item for item in case if item.tag in ("failure", "error")]
    return Outcome(
        f"{case.get('classname')}::{case.get('name')}",
        float(case.get("time", "0")),
        "\n".join(item.get("message") or "it says nothing" for item in wrong),
        "\n".join(item.text or "" for item in wrong).strip(),
        tuple(value for name, value in found if name == "database"),
        sum(spent) if spent else None,
    )


def diagram(path: Path) -> str:
    """Return the source of the first Mermaid diagram in a Markdown file; "" without one."""
    found = re.search(r"```mermaid\n(.*?)\n*```", path.read_text(encoding="utf-8") if path.exists() else "", re.DOTALL)
    return found[1] if found else ""


def write(data: Path) -> Path:
    """Write the page from a run's data and the JUnit file next to it, and return the page's path.

    Raises:
        HarnessError: when `data` is not a report of the harness.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    try:
        content = PageContent(
            f"{project}: what the tests found",
            datetime.fromtimestamp(data.stat().st_mtime, UTC),
            json.loads(data.read_text(encoding="utf-8")),
            OBJECTIVE * 1000,
            read_tests(data.with_suffix(".xml")),
            diagram(ROOT / "docs" / "diagram.md"),
        )
        text = page(content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"{data} is not a report of pytest --harness-json ({type(error).__name__}: {error})"
        raise HarnessError(
            problem, remedy="`python3 run.py report` runs the tests and writes report and page"
        ) from error
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    return PAGE


def main() -> None:
    """Write the page and print its path; the exit code is that of the tests, or 2 without a page."""
    parser = argparse.ArgumentParser(prog="report", description=__doc__)
    parser.add_argument("--from", dest="source", metavar="FILE", type=Path, help="read the JSON of an earlier run")
    source = parser.parse_args().source
    status = 0 if source else run_suites(DATA)
    with error_exit("report"):
        print(f"report: {write(source or DATA)}")
    sys.exit(status)


if __name__ == "__main__":
    main()
