"""Exemptions of `[tool.harness]` that no finding needs, judged where the tests that could need them have all run."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.config import Config
from harness.findings import Exemption, Verdict
from harness.report.report import Report
from harness.rules import catalogue, judge
from harness.rules_command import every_rule

SUITES = ("migrations", "schema", "api")
"""The suites; each is a marker, and a folder of tests."""

CHOSEN = "harness_chosen"
"""In a worker's output: by suite, the ids of the tests that it chose, and whether it left others out."""


@dataclass(slots=True)
class Choice:
    """The tests of one suite that a run has chosen; `partial` if it left others out, apart from slow ones."""

    tests: set[str] = field(default_factory=set)
    partial: bool = False


class StaleExemptions:
    """A pytest plugin: fails a run for each exemption in `config` that `report` has no use of.

    An exemption is judged if the run has chosen and passed all tests of the suite that judges its rule. Slow tests may
    be missing (nightly ones are slow too), so an exemption must be needed by one of the others.
    """

    def __init__(self, config: Config, report: Report) -> None:
        self._exemptions = config.exemptions
        self._tests = config.root / "tests"
        self._report = report
        self._collected: list[pytest.Item] = []
        self._chosen = {suite: Choice() for suite in SUITES}
        self._passed: set[str] = set()
        self._verdict = Verdict()

    @pytest.hookimpl(wrapper=True)
    def pytest_ignore_collect(
        self, collection_path: Path, config: pytest.Config
    ) -> Generator[None, bool | None, bool | None]:
        """Note files of a suite that are ignored, such as by `--ignore`."""
        ignored = yield
        for suite, choice in self._chosen.items() if ignored else ():
            files = _test_files(self._tests / suite, config)
            choice.partial = choice.partial or any(file.is_relative_to(collection_path) for file in files)
        return ignored

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Remember each test, before any plugin can leave it out."""
        self._collected.append(item)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Compare the tests that are left with those that were collected; one marked `skip` never runs."""
        left = set(session.items)
        for item in self._collected:
            choice = self._chosen.get(next((mark.name for mark in item.iter_markers() if mark.name in SUITES), ""))
            if choice and item not in left:
                choice.partial = choice.partial or item.get_closest_marker("slow") is None
            elif choice and item.get_closest_marker("skip") is None:
                choice.tests.add(item.nodeid)
        self._collected.clear()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note which tests have run to their end."""
        if report.failed:
            self._passed.discard(report.nodeid)
        elif report.when == "call" and (report.passed or hasattr(report, "wasxfail")):
            self._passed.add(report.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker of xdist has chosen; one that crashed does not say."""
        output = getattr(node, "workeroutput", {}).get(CHOSEN, {})
        for suite, choice in self._chosen.items():
            tests, partial = output.get(suite, ((), True))
            choice.tests.update(tests)
            choice.partial = choice.partial or partial

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Judge the exemptions; a worker of xdist sends what it has chosen to the controller."""
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[CHOSEN] = {suite: (sorted(item.tests), item.partial) for suite, item in self._chosen.items()}
            return
        used = {(item["rule"], item["object"]) for item in self._report.exemptions}
        if unused := [item for item in self._exemptions if (item.rule, item.object) not in used]:
            self._verdict = judge([], _of(unused, [suite for suite in SUITES if self._ran(suite, session.config)]))
        if not self._verdict.clean and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _ran(self, suite: str, config: pytest.Config) -> bool:
        """Return whether all tests of a suite have run and passed."""
        choice = self._chosen[suite]
        if choice.partial or not choice.tests or not choice.tests <= self._passed or config.getoption("lf", False):
            return False
        start, folder = config.invocation_params.dir, self._tests / suite
        return any(folder.is_relative_to(Path(start, argument).resolve()) for argument in config.args)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name them."""
        if not self._verdict.clean:
            terminalreporter.ensure_newline()
            terminalreporter.section("stale exemptions")
            terminalreporter.write_line(str(self._verdict))


def _test_files(folder: Path, config: pytest.Config) -> list[Path]:
    return [path for pattern in config.getini("python_files") for path in folder.rglob(pattern)]


def _of(exemptions: Iterable[Exemption], suites: Collection[str]) -> list[Exemption]:
    """Return the exemptions from rules that the tests of one of these suites judge."""
    every_rule()
    judged = {check.id: "api" if check.rule.needs == "statements" else check.rule.suite for check in catalogue()}
    return [item for item in exemptions if judged.get(item.rule, "") in suites]
