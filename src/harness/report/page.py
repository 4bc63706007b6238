"""The report as one HTML page, without network, scripts and other files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

from harness.report import charts

ROUTES = "Routes"
MIGRATIONS = "Migrations"
LEVELS = ("error", "warning", "info")
NUMBER = re.compile(r"-?\d+(\.\d+)?")


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


def page(run: PageContent) -> str:
    """Return the HTML document."""
    shown = [(f"s{number}", title, text) for number, (title, text) in enumerate(_sections(run)) if text]
    links = "".join(f'<li><a href="#{name}">{escape(title)}</a></li>' for name, title, _ in shown)
    sections = "".join(
        f'<section aria-labelledby="{name}"><h2 id="{name}">{escape(title)}</h2>\n{text}</section>\n'
        for name, title, text in shown
    )
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(run.title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<header><h1>{escape(run.title)}</h1>{_made(run.made)}{_sums(run)}"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav></header>\n<main>\n{sections}</main>\n</body>\n</html>\n'
    )


def _sections(run: PageContent) -> Iterable[tuple[str, str]]:
    """Yield titles and contents, problems first; an empty content is left out."""
    findings = sorted(run.data["findings"], key=lambda item: LEVELS.index(item["severity"]))
    yield "Findings", "".join(map(_finding, findings)) or "<p>No rule is broken.</p>"
    yield "Failed tests", "".join(map(_failure, run.failed))
    for item in run.data["tables"]:
        yield item["title"], _charted(item, run.objective)
    exempted = table(("rule", "object", "reason"), run.accepted, "Objects that may break a rule, and why")
    yield "Exemptions in force", exempted if run.accepted else "<p>None.</p>"
    yield "Databases of the tests", _databases([test for test in run.tests if test.databases])
    yield "The schema", f"<pre>{escape(run.schema)}</pre>\n" if run.schema else ""


def _made(made: datetime) -> str:
    return f'<p class="muted">Run of <time datetime="{made.isoformat()}">{made:%d %B %Y, %H:%M %Z}</time></p>'


def _sums(run: PageContent) -> str:
    """Return the figures at the top; bad ones are framed and labelled."""
    levels = [item["severity"] for item in run.data["findings"]]
    rows = {item["title"]: len(item["rows"]) for item in run.data["tables"]}
    bad = {"errors": levels.count("error"), "warnings": levels.count("warning")}
    if run.tests:
        bad = {"failed tests": len(run.failed), **bad}
    good = {"routes": rows.get(ROUTES, 0), "revisions": rows.get(MIGRATIONS, 0), "exemptions": len(run.accepted)}
    if run.tests:
        good = {"tests": len(run.tests), **good}
    cells = [("bad" if number else "good", name, number) for name, number in bad.items()]
    cells += [("plain", name, number) for name, number in good.items()]
    return (
        '<dl class="sums">'
        + "".join(f'<div class="{kind}"><dt>{name}</dt><dd>{number}</dd></div>' for kind, name, number in cells)
        + "</dl>"
    )


def _finding(item: Mapping[str, Any]) -> str:
    place = f"{item['suite']} suite" + (f", revision {item['revision']}" if "revision" in item else "")
    statement = f"<p>Statement</p><pre>{escape(item['statement'])}</pre>" if "statement" in item else ""
    return (
        f'<article class="{item["severity"]}"><h3><span class="level">{item["severity"]}</span> '
        f"{escape(item['rule'])}: {escape(item['object'])}</h3>\n"
        f'<p>{escape(item["message"])}</p><p class="muted">{escape(place)}: {escape(item["why"])}</p>'
        f"{statement}<p>Fix</p><pre>{escape(item['fix'])}</pre></article>\n"
    )


def _failure(test: Outcome) -> str:
    trace = f"<details><summary>Where</summary><pre>{escape(test.trace)}</pre></details>" if test.trace else ""
    return (
        f'<article class="failed"><h3><span class="level">failed</span> {escape(test.name)}</h3>'
        f"<pre>{escape(test.failure)}</pre>{trace}</article>\n"
    )


def _charted(item: Mapping[str, Any], objective: float) -> str:
    """Return a table of the report, with a chart if its title and columns have one."""
    rows = [dict(zip(item["columns"], cells, strict=True)) for cells in item["rows"]]
    plain = table(item["columns"], item["rows"], f"{len(rows)} rows")
    try:
        chart = _chart(item["title"], rows, objective)
    except KeyError:  # a project's own table may have this title
        chart = ""
    return f'<div class="pair">{chart}{plain}</div>\n' if chart else plain


def _chart(title: str, rows: Sequence[Mapping[str, str]], objective: float) -> str:
    if title == ROUTES:
        routes = [charts.RouteTimes(row["route"], number(row["ms at 0"]), number(row["ms at 10"])) for row in rows]
        caption = "Median milliseconds: outlined without latency, filled with 10 ms added to each round trip"
        return f"<figure>{charts.latency(routes, objective)}<figcaption>{caption}</figcaption></figure>"
    if title == MIGRATIONS:
        caption = "In sequence, on seeded rows. Striped: blocks writes. Crossed: blocks reads and writes"
        drawn = charts.timeline([_revision(row) for row in rows])
        return f"<figure>{drawn}<figcaption>{caption}</figcaption></figure>"
    return ""


def _revision(row: Mapping[str, str]) -> charts.RevisionTime:
    done = f"{row['statements']} statements, {row['rewrites']} rewrites, {row['scans']} scans, {row['ms']} ms"
    return charts.RevisionTime(row["revision"], row["strongest lock"], number(row["ms"]), done)


def _databases(tests: Sequence[Outcome]) -> str:
    """Return where the tests' databases came from: the totals, then each test."""
    if not tests:
        return ""
    ways = sorted((way.partition(":")[0], test.milliseconds) for test in tests for way in test.databases)
    sums = []
    for way, group in groupby(ways, key=lambda item: item[0]):
        spent = [time for _, time in group]
        known = [time for time in spent if time is not None]
        middle, worst = (f"{median(known):.1f}", f"{max(known):.1f}") if known else ("", "")
        sums.append((way, str(len(spent)), middle, worst))
    each = [
        (test.name, "; ".join(test.databases), milliseconds(test.milliseconds), f"{test.seconds * 1000:.0f}")
        for test in tests
    ]
    return (
        table(("source", "databases", "median ms", "worst ms"), sums, "Time to lend a database and take it back")
        + f"<details><summary>Each of the {len(each)} tests with a database</summary>\n"
        + table(("test", "database", "database ms", "test ms"), each, "In the order of the run")
        + "</details>\n"
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], caption: str) -> str:
    """Return a table whose first column names the row; figures are right-aligned."""
    lines = [tuple(map(str, cells)) for cells in rows]
    right = [bool(lines) and all(not line[n] or NUMBER.match(line[n]) for line in lines) for n in range(len(columns))]
    kinds = ["text", *("number" if each else "text" for each in right[1:])]
    head = "".join(
        f'<th scope="col" class="{kind}">{escape(name)}</th>' for kind, name in zip(kinds, columns, strict=True)
    )
    body = "".join(f"<tr>{_cells(line, kinds)}</tr>\n" for line in lines)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table><caption>{escape(caption)}'
        f"</caption><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
    )


def _cells(line: Sequence[str], kinds: Sequence[str]) -> str:
    first, *others = line
    return f'<th scope="row">{escape(first)}</th>' + "".join(
        f'<td class="{kind}">{escape(cell)}</td>' for kind, cell in zip(kinds[1:], others, strict=True)
    )


def number(text: str) -> float:
    """Return the number at the start of a cell; 0 without one."""
    found = NUMBER.match(text)
    return float(found[0]) if found else 0.0


def milliseconds(time: float | None) -> str:
    """Return a time as a cell shows it; "" for None."""
    return "" if time is None else f"{time:.1f}"
