"""Exemptions of the API suite that no request has needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import harness.api.growth
import harness.api.latency
import harness.api.rules  # noqa: F401 - these register the rules
from harness.config import Config
from harness.findings import Verdict
from harness.report.report import Report
from harness.rules import catalogue, judge

LEFT_OUT = "harness_api_left_out"
"""In a worker's output: whether it was not given all of the suite."""


class StaleExemptions:
    """A pytest plugin: fails a run of the whole API suite for each exemption in `config` that `report` has no use of.

    A run that leaves tests of the suite out says nothing of them, nor one with a failure; slow ones may be missing
    (nightly ones are slow too), so an exemption must be needed by one of the others.
    """

    def __init__(self, config: Config, report: Report) -> None:
        rules = {check.id for check in catalogue("api")}
        self._exemptions = [item for item in config.exemptions if item.rule in rules]
        self._folder = config.root / "tests" / "api"
        self._report = report
        self._left_out = False
        self._verdict = Verdict()

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Note that tests of the suite were left out."""
        self._left_out = self._left_out or any(
            item.get_closest_marker("api") and not item.get_closest_marker("slow") for item in items
        )

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker of xdist was not given."""
        self._left_out = self._left_out or getattr(node, "workeroutput", {}).get(LEFT_OUT, True)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Judge the exemptions, if all of the suite has run."""
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[LEFT_OUT] = self._left_out
        elif self._ran(session):
            used = {(item["rule"], item["object"]) for item in self._report.exemptions}
            self._verdict = judge([], [item for item in self._exemptions if (item.rule, item.object) not in used])
        if not self._verdict.clean:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _ran(self, session: pytest.Session) -> bool:
        given = [Path(session.config.invocation_params.dir, argument) for argument in session.config.args]
        whole = self._folder.is_dir() and any(self._folder.is_relative_to(path.resolve()) for path in given)
        ended = session.exitstatus == pytest.ExitCode.OK and not session.config.option.collectonly
        return whole and ended and not self._left_out

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name them."""
        if not self._verdict.clean:
            terminalreporter.section("stale exemptions")
            terminalreporter.write_line(str(self._verdict))
