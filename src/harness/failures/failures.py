"""Failures as pytest prints them: each finding once in a run, and no frames of libraries."""

from __future__ import annotations

import contextlib
import linecache
import logging
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness.errors import HarnessError
from harness.failures.captured_logs import LOGS, Tracebacks, reduced
from harness.findings import BrokenPromiseError
from harness.frames import LIBRARIES, is_project, joined, package, steps
from harness.migration_errors import migration_error
from harness.run import Run
from harness.wording import plural

EXPLAINED = pytest.StashKey[str]()
"""On a test: the text that it has failed with, if that needs no log."""


class Crash(NamedTuple):
    """What the short summary of a run says of a failure."""

    message: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A text that pytest prints as a failure; its first line, or `head`, is in the short summary."""

    text: str
    head: str = ""

    @property
    def reprcrash(self) -> Crash:
        """The failure in one line, where pytest looks for it."""
        return Crash(self.head or self.text.partition("\n")[0])

    def toterminal(self, writer: Any) -> None:
        """Print the text."""
        writer.line(self.text)

    def __str__(self) -> str:
        return self.text


class Failures:
    """A pytest plugin: shows findings and errors of the harness as texts, and each finding once.

    A finding fails the first test that meets it; later ones in the same process only count. If that failure is not one
    of the run, because the test expects it, the finding fails the run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._failed: set[str] = set()
        self._tracebacks = Tracebacks()

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Generator[None, object, object]:
        """End the run in one line when it is interrupted."""
        with _interruptible():
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> pytest.CollectReport | None:
        """Import nothing after an error that ends the run: what was half imported would fail for another reason."""
        return pytest.CollectReport(collector.nodeid, "passed", None, []) if self._run.refusal else None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """End the run in one line when it is interrupted, where pytest would name a line of code."""
        with _interruptible():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Let the run know which test meets a finding."""
        self._run.test = item.nodeid
        try:
            return (yield)
        finally:
            self._run.test = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Replace the traceback of what is not a mistake of the test's code."""
        error = call.excinfo.value if call.excinfo else None
        text = self._text(error)
        with _chain_kept(error):
            if error and not item.config.getoption("fulltrace", False):
                _trim(call, error, item.config.rootpath)
            report = yield
        if text and report.failed:
            report.longrepr = Failure(text)  # type: ignore[assignment]  # pytest asks only for toterminal()
        elif isinstance(error, BrokenPromiseError) and report.failed:
            found = [(each.key, each.head, each.text) for each in error.findings]
            sent = list(_lines(error, item.config.rootpath))
            vars(report)["findings"] = {"sent": sent, "found": found, "detail": error.detail}
            self._show(report, {})
        explained = item.stash.setdefault(EXPLAINED, "") or (str(error) if error and is_text(error) else "")
        item.stash[EXPLAINED] = explained
        if explained or item.get_closest_marker("api"):
            report.sections = reduced(report.sections, explained)
        if report.failed and error:
            report.sections, known = self._tracebacks.replace(report.sections, item.nodeid)
            if known and not explained and not item.config.getoption("fulltrace", False):
                self._refer(report, error, known, item.config.rootpath)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the tests that fail the run."""
        if report.failed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Leave of each finding one text in the failures of all processes, with the number of its other tests."""
        terminal: Any = session.config.pluginmanager.get_plugin("terminalreporter")
        shown: dict[tuple[str, ...], str] = {}
        for outcome in ("error", "failed") if terminal else ():  # as pytest prints them
            for report in terminal.stats.get(outcome, ()):
                self._show(report, shown, names=terminal.verbosity > 0)
        if not hasattr(session.config, "workerinput") and self._run.report.unreported(self._failed):
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the findings whose first test has not failed the run."""
        if unreported := self._run.report.unreported(self._failed):
            terminalreporter.ensure_newline()
            terminalreporter.section("findings that failed no test")
            for item in unreported:
                head = f"{item['severity']}: {item['rule']}: {item['object']}"
                terminalreporter.write_line(f"{head}\n  {item['message']}\n  met by: {', '.join(item['tests'])}")

    def _text(self, error: BaseException | None) -> str:
        """Return what is printed for an error of the harness, and for one of env.py or a revision; "" for others."""
        if isinstance(error, HarnessError):
            return str(error)
        if not isinstance(error, Exception) or isinstance(error, AssertionError):
            return ""
        return str(migration_error(error, self._run.config.root / self._run.config.migrations) or "")

    def _refer(self, report: pytest.TestReport, error: BaseException, known: Sequence[str], root: Path) -> None:
        """Shorten a failure whose cause is an error of the app that another failure has shown."""
        lines = [*list(_lines(error, root))[-1:], *(f"E   {line}" for line in str(error).splitlines()[:1]), *known]
        report.longrepr = Failure("\n".join(lines), known[0])  # type: ignore[assignment]
        report.sections = [section for section in report.sections if not section[0].startswith(LOGS)]

    def _show(self, report: Any, shown: dict[tuple[str, ...], str], *, names: bool = False) -> None:
        """Write the findings of a test's report, those in `shown` in two lines."""
        data = getattr(report, "findings", None)
        if not data:
            return
        new = [key for key, _, _ in data["found"] if tuple(key) not in shown]
        shown.update({tuple(key): report.nodeid for key in new})
        blocks = []
        for key, head, text in data["found"]:
            first = shown[tuple(key)]
            more = self._others(key, report.nodeid, names=names)
            blocks.append(f"{text}{more}" if key in new else f"{head}\n  shown above, in {first}")
        blocks += [data["detail"]] if new and data["detail"] else []
        report.longrepr = Failure("\n".join([*data["sent"], "\n\n".join(blocks)]), data["found"][0][1])

    def _others(self, key: Iterable[str], test: str, *, names: bool) -> str:
        """Return how many other tests have met a finding, or which."""
        others = [each for each in self._run.report.tests(key) if each not in ("", test)]
        more = f"\n  and {plural(len(others), 'more test')}"
        if not others:
            return ""
        return "\n    ".join([f"{more}:", *others]) if names else f"{more} (-v names them)"


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """End the run on Ctrl-C; what then logs that it ends, such as uvicorn, may find its stream closed."""
    try:
        yield
    except pytest.Session.Interrupted:  # pytest's own, such as after errors in the collection
        raise
    except KeyboardInterrupt:
        logging.raiseExceptions = False
        raise pytest.Session.Interrupted from None


@contextlib.contextmanager
def _chain_kept(error: BaseException | None) -> Iterator[None]:
    """Put the causes of an error back, which other plugins look for."""
    if error is None:
        yield
        return
    chain = error.__cause__, error.__context__, error.__suppress_context__
    yield
    error.__cause__, error.__context__, error.__suppress_context__ = chain


def _trim(call: pytest.CallInfo[None], error: BaseException, root: Path) -> None:
    """Remove the frames of libraries from an error that came through the project, and the cause of a plain text.

    An error that the harness makes by mistake keeps its frames.
    """
    if is_text(error) or type(error).__module__.partition(".")[0] in LIBRARIES:
        error.__cause__ = error.__context__ = None
    every = list(steps(error.__traceback__))
    ours = [number for number, step in enumerate(every) if is_project(step, root)]
    meant = isinstance(error, BrokenPromiseError | HarnessError)
    if not ours or (package(every[-1]) == "harness" and not meant):
        return
    last = ours[-1] + 1 if any(package(step) in LIBRARIES for step in every[ours[-1] :]) else len(every)
    kept = joined(step for step in every[:last] if package(step) not in LIBRARIES)
    call.excinfo = pytest.ExceptionInfo.from_exception(error.with_traceback(kept))


def _lines(error: BaseException, root: Path) -> Iterator[str]:
    """Yield the lines of the project that led to an error, once: the test's, a fixture's, a helper's."""
    ours = [step for step in steps(error.__traceback__) if is_project(step, root)]
    for path, line in dict.fromkeys((step.tb_frame.f_code.co_filename, step.tb_lineno) for step in ours):
        yield f"{Path(path).relative_to(root)}:{line}: {linecache.getline(path, line).strip()}"


def is_explained(error: BaseException) -> bool:
    """Return whether the rows of a test say nothing about its failure, as in a check of the OpenAPI document."""
    foreign = type(error).__module__.partition(".")[0] == "schemathesis"
    return foreign or isinstance(error, HarnessError) or is_text(error)


def is_text(error: BaseException) -> bool:
    """Return whether an error says all that there is to say: findings, and `pytest.fail` without a traceback."""
    return isinstance(error, BrokenPromiseError) or (isinstance(error, pytest.fail.Exception) and not error.pytrace)
