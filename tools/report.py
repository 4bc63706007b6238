"""Run the suites and write what they found as one HTML page: build/report.html. It needs no network and no script."""

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
from harness.report.page import Outcome, PageContent, page

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "build" / "report.json"
PAGE = ROOT / "build" / "report.html"
SUITES = "(migrations or schema or api) and not slow"


def run_suites(data: Path) -> int:
    """Run them, with the report's data in `data` and the tests' beside it; pytest's exit code."""
    data.parent.mkdir(exist_ok=True)
    data.unlink(missing_ok=True)
    outputs = [f"--harness-json={data}", f"--junitxml={data.with_suffix('.xml')}"]
    return subprocess.run([sys.executable, "-m", "pytest", "-m", SUITES, *outputs], cwd=ROOT, check=False).returncode


def read_tests(path: Path) -> list[Outcome]:
    """The tests of a JUnit file as pytest writes it; none when there is no such file."""
    if not path.exists():
        return []
    cases = ET.parse(path).iter("testcase")  # noqa: S314 - pytest wrote it, on this machine or in our CI
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
    """The source of the first diagram in a Markdown file; empty for none."""
    found = re.search(r"```mermaid\n(.*?)\n*```", path.read_text(encoding="utf-8") if path.exists() else "", re.DOTALL)
    return found[1] if found else ""


def write(data: Path) -> Path:
    """Write the page from a run's data, and from the JUnit file of the same name beside it.

    Raises:
        ValueError: when `data` is no JSON.
        KeyError: when it is none of the harness's.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    run = PageContent(
        f"{project}: what the tests found",
        datetime.fromtimestamp(data.stat().st_mtime, UTC),
        json.loads(data.read_text(encoding="utf-8")),
        OBJECTIVE * 1000,
        read_tests(data.with_suffix(".xml")),
        diagram(ROOT / "docs" / "diagram.md"),
    )
    text = page(run)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    return PAGE


def main() -> None:
    """Make the page and print where it is; the exit code is that of the tests."""
    parser = argparse.ArgumentParser(prog="report", description=__doc__)
    parser.add_argument("--from", dest="source", metavar="FILE", type=Path, help="what --harness-json wrote earlier")
    source = parser.parse_args().source
    status = 0 if source else run_suites(DATA)
    try:
        written = write(source or DATA)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(
            f"report: no page was written: {source or DATA} is not what pytest --harness-json writes "
            f"({type(error).__name__}: {error}). Run `python run.py report`, which makes both.",
            file=sys.stderr,
        )
        sys.exit(status or 2)
    print(f"report: {written}")
    sys.exit(status)


if __name__ == "__main__":
    main()
