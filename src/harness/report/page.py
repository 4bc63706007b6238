"""The report as one HTML page, without network, scripts and other files: the data of page.html.mako."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from statistics import median
from typing import Any

from mako.template import Template  # type: ignore[import-untyped]  # it has no types; Alembic brings it

LEVELS = ("error", "warning", "info")
NUMBER = re.compile(r"-?\d+(\.\d+)?")

WIDTH = 360
"""Width of a chart in units: the pixels of a phone, where its letters then keep their size."""

PLOT = 320
"""Width of the bars; the rest is for the figures after them."""

LONGEST_LABEL = 50
"""Characters of a label that fit into the width."""

WRITES = ("writes", "blocks writes")
LOCKS = dict.fromkeys(("SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE"), WRITES) | {
    "ACCESS EXCLUSIVE": ("all", "blocks reads and writes")
}
"""What a lock on a table blocks (https://www.postgresql.org/docs/current/explicit-locking.html)."""

CHARTS = {
    "Routes": {"route", "ms at 0", "ms at 10"},
    "Migrations": {"revision", "strongest lock", "statements", "rewrites", "scans", "ms"},
}
"""The tables of a report that have a chart, by title, with the columns that it needs."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test: its id, seconds, failure and traceback, its databases and the milliseconds that they took."""

    name: str
    seconds: float
    failure: str = ""
    trace: str = ""
    databases: tuple[str, ...] = ()
    milliseconds: float | None = None


@dataclass(frozen=True, slots=True)
class PageContent:
    """A run: `data` of `Report.data`, and its tests if they are known.

    `objective` is in milliseconds; `schema` is the source of a diagram.
    """

    title: str
    made: datetime
    data: Mapping[str, Any]
    objective: float
    tests: Sequence[Outcome] = ()
    schema: str = ""

    @property
    def failed(self) -> list[Outcome]:
        """The tests that failed."""
        return [test for test in self.tests if test.failure]

    @property
    def accepted(self) -> list[tuple[str, str, str]]:
        """Rule, object and reason of each exemption in force, once."""
        return sorted({(item["rule"], item["object"], item["reason"]) for item in self.data["exemptions"]})

    @property
    def sums(self) -> list[tuple[str, str, int]]:
        """Kind, name and count of the figures at the top; bad ones are framed and labelled."""
        levels = [item["severity"] for item in self.data["findings"]]
        rows = {item["title"]: len(item["rows"]) for item in self.data["tables"]}
        bad = {"errors": levels.count("error"), "warnings": levels.count("warning")}
        good = {"routes": rows.get("Routes", 0), "revisions": rows.get("Migrations", 0)}
        good["exemptions"] = len(self.accepted)
        if self.tests:
            bad, good = {"failed tests": len(self.failed), **bad}, {"tests": len(self.tests), **good}
        cells = [("bad" if count else "good", name, count) for name, count in bad.items()]
        return cells + [("plain", name, count) for name, count in good.items()]

    @property
    def sections(self) -> list[tuple[str, str, Any]]:
        """Title, kind and content of each section, problems first."""
        findings = sorted(self.data["findings"], key=lambda item: LEVELS.index(item["severity"]))
        lent = [test for test in self.tests if test.databases]
        return [
            ("Findings", "findings", findings),
            *([("Failed tests", "failures", self.failed)] if self.failed else []),
            *((item["title"], "table", item) for item in self.data["tables"]),
            ("Exemptions in force", "exemptions", self.accepted),
            *([("Databases of the tests", "databases", lent)] if lent else []),
            *([("The schema", "diagram", self.schema)] if self.schema else []),
        ]


def page(run: PageContent) -> str:
    """Return the HTML document."""
    folder = Path(__file__).parent
    filename, style = str(folder / "page.html.mako"), (folder / "page.css").read_text(encoding="utf-8")
    template = Template(filename=filename, default_filters=["h"], strict_undefined=True)  # noqa: S702 - all is escaped
    text: str = template.render(run=run, style=style)
    return text


def chart_of(title: str, columns: Sequence[str]) -> str:
    """Return the title of a table that has a chart; "" for another one, such as a project's own of this title."""
    return title if CHARTS.get(title, {""}) <= set(columns) else ""


def sources(tests: Sequence[Outcome]) -> Iterator[tuple[str, ...]]:
    """Yield where the tests' databases came from, with their number and the median and longest milliseconds."""
    ways = [(way.partition(":")[0], test.milliseconds) for test in tests for way in test.databases]
    for way, group in groupby(sorted(ways, key=itemgetter(0)), key=itemgetter(0)):
        spent = [time for _, time in group]
        known = [time for time in spent if time is not None]
        yield (way, str(len(spent)), *((tenths(median(known)), tenths(max(known))) if known else ("", "")))


def number(text: str) -> float:
    """Return the number at the start of a cell; 0 without one."""
    found = NUMBER.match(text)
    return float(found[0]) if found else 0.0


def tenths(value: float) -> str:
    """Return a number with one decimal."""
    return f"{value:.1f}"


def milliseconds(time: float | None) -> str:
    """Return a time as a cell shows it; "" for None."""
    return "" if time is None else tenths(time)


def shorten(text: str, longest: int = LONGEST_LABEL) -> str:
    """Return a text of at most `longest` characters, with its middle replaced by … if it is longer."""
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[:half]}…{text[-half:]}"
