"""The report's page is one complete file without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from harness.findings import Exemption, Finding, Rule
from harness.report.page import Outcome, PageContent, page
from harness.report.report import Report
from harness.rules import judge
from tools.report import read_tests

HOSTILE = "<script>alert('1')</script>\"&"
EMPTY = {"meta", "link", "img", "br", "hr", "input"}


class Document(HTMLParser):
    """An HTML text as its elements: a tag, its attributes, and the text directly and indirectly in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str], list[str]]] = []
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {[tag for tag, _, _ in self.open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element: tuple[str, dict[str, str], list[str]] = (tag, {name: value or "" for name, value in attrs}, [])
        self.elements.append(element)
        if tag not in EMPTY:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}, []))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop()[0] == tag, f"</{tag}> is not the innermost"

    def handle_data(self, data: str) -> None:
        for _, _, texts in self.open:
            texts.append(data)

    def texts(self, tag: str, **wanted: str) -> list[str]:
        return ["".join(texts) for _, texts in self.all(tag, **wanted)]

    def all(self, tag: str, **wanted: str) -> Iterator[tuple[dict[str, str], list[str]]]:
        for name, attributes, texts in self.elements:
            if name == tag and wanted.items() <= attributes.items():
                yield attributes, texts


def rule(name: str) -> Rule:
    return Rule(name, "error", "It holds", "it breaks otherwise", "fix it")


@pytest.fixture
def run() -> PageContent:
    """A run with something of everything, in which each name of the user's would be markup if it could."""
    report = Report()
    found = [
        Finding(rule("query-loop"), f"GET /{HOSTILE}", f"seen {HOSTILE}", f"fix {HOSTILE}", statement=f"SQL {HOSTILE}"),
        Finding(rule("long-lock"), "0002", "held", revision="0002", level="warning"),
        Finding(rule("no-key"), "public.b", "no key"),
    ]
    report.add("api", judge(found, [Exemption("no-key", "public.b", "a log that nobody reads back")]))
    columns = ["route", "queries", "round trips", "ms at 0", "ms at 10"]
    report.row("Routes", columns, ["GET /a", 1, 1, "3.0", "16.2"])
    report.row("Routes", columns, [f"GET /{HOSTILE}", 9, 9, "4.0", "243.9"])
    columns = ["revision", "statements", "strongest lock", "rewrites", "scans", "ms"]
    for row in (["0001", 4, "", 0, 0, "30"], ["0002", 2, "ACCESS EXCLUSIVE", 1, 0, "60 (cached)"]):
        report.row("Migrations", columns, row)
    report.row(HOSTILE, [HOSTILE, "n"], [HOSTILE, 1])
    tests = [
        Outcome("tests.a::test_a", 0.5, databases=("cloned", "cloned ahead"), milliseconds=12.5),
        Outcome(f"tests.b::{HOSTILE}", 0.1, f"failed {HOSTILE}", f"at {HOSTILE}", databases=("reset: 1 table",)),
        Outcome("tests.c::test_c", 0.1),
    ]
    made = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    return PageContent(f"shop {HOSTILE}", made, report.data(), 200, tests, f"erDiagram {HOSTILE}")


@pytest.fixture
def document(run: PageContent) -> Document:
    return Document(page(run))


def test_it_is_one_file_that_asks_for_nothing(run: PageContent) -> None:
    """No script, no frame, no address and no reference leaves the file; links go to places in it."""
    text = page(run)
    document = Document(text)
    tags = {tag for tag, _, _ in document.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "form", "base", "use", "image"}
    for _, attributes, _ in document.elements:
        assert not {"src", "srcset", "style", "onload", "onclick", "xlink:href"} & set(attributes)
        assert attributes.get("href", "#").startswith("#")
    assert not re.search(r"https?:|//\w|@import|url\((?!#)", text)


def test_names_of_the_user_are_text(document: Document) -> None:
    """A hostile name stands as it is in title, findings, tables, charts and schema, and runs nowhere."""
    assert not list(document.all("script"))
    for tag in ("title", "h1", "h2", "h3", "p", "pre", "th", "text", "a"):
        assert any(HOSTILE in text for text in document.texts(tag)), tag


def test_links_and_labels_lead_somewhere(document: Document) -> None:
    """Each id stands once; each link and each section's label names one."""
    ids = [attributes["id"] for _, attributes, _ in document.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = [attributes["href"][1:] for attributes, _ in document.all("a")]
    named += [attributes["aria-labelledby"] for attributes, _ in document.all("section")]
    assert set(named) <= set(ids)
    assert len(named) >= 2 * len(document.texts("h2"))


def test_every_route_revision_rule_and_reason_is_there(document: Document) -> None:
    """Each route and revision is in a table and in a chart; findings say rule, place, why and fix."""
    rows, drawn = document.texts("th", scope="row"), document.texts("text")
    for name in ("GET /a", f"GET /{HOSTILE}", "0001", "0002"):
        assert name in rows
        assert any(text.startswith(name) for text in drawn), name
    articles = document.texts("article")
    assert any("error query-loop" in text and "it breaks otherwise" in text and "SQL" in text for text in articles)
    assert any("warning long-lock" in text and "revision 0002" in text and "fix it" in text for text in articles)
    assert "a log that nobody reads back" in document.texts("td")


def test_tables_say_what_their_cells_are(document: Document) -> None:
    """Every header cell has a scope, every table a caption, every chart a text instead."""
    assert {attributes["scope"] for attributes, _ in document.all("th")} == {"col", "row"}
    assert len(document.texts("caption")) == len(document.texts("table"))
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes, _ in document.all("svg"))


def test_what_is_wrong_is_written_and_not_only_coloured(document: Document) -> None:
    """A late route is called too late, a lock says what it blocks, a finding its level, a test that it failed."""
    drawn = document.texts("text")
    assert f"GET /{HOSTILE} too late" in drawn
    assert "GET /a" in drawn
    assert "0002 ACCESS EXCLUSIVE: blocks reads and writes" in drawn
    assert "0001 no lock on an existing table" in drawn
    assert document.texts("span") == ["error", "warning", "failed"]
    assert [text for _, text in zip(document.texts("dt"), document.texts("dd"), strict=True)][:3] == ["1", "1", "1"]


def test_bars_are_as_long_as_their_times(document: Document) -> None:
    """A bar fifteen times as long is a time fifteen times as long; revisions follow one another."""
    widths = [float(each["width"]) for each, _ in document.all("rect") if each.get("class") in ("far", "late")]
    assert widths[1] / widths[0] == pytest.approx(243.9 / 16.2, rel=0.02)
    bars = [each for each, _ in document.all("rect") if each.get("class", "").startswith("bar")]
    assert [float(each["x"]) for each in bars] == [0, pytest.approx(float(bars[0]["width"]))]
    assert float(bars[1]["width"]) == pytest.approx(2 * float(bars[0]["width"]))


def test_databases_are_counted_by_the_way_they_came(document: Document) -> None:
    """The text before the colon is the way; unknown times are left out."""
    rows = [re.sub(r"\s+", " ", text) for text in document.texts("tr")]
    assert {"cloned112.512.5", "cloned ahead112.512.5", "reset1"} <= set(rows)
    assert "tests.a::test_acloned; cloned ahead12.5500" in rows
    assert not any("test_c" in row for row in rows)


def test_databases_of_one_source_are_counted_with_and_without_a_time(run: PageContent) -> None:
    """A test that failed before its time was taken still counts."""
    tests = [Outcome("a", 0.1, databases=("cloned",), milliseconds=time) for time in (2.5, None)]
    [sums, *_] = [text for text in page(replace(run, tests=tests)).split("<tr>") if '<th scope="row">cloned<' in text]
    assert re.findall(r"<td[^>]*>([^<]*)", sums) == ["2", "2.5", "2.5"]


def test_a_clean_run_without_tests_says_so(run: PageContent) -> None:
    """Nothing found reads as nothing found, and sections that have nothing are left out."""
    document = Document(page(replace(run, data=Report().data(), tests=(), schema="")))
    assert document.texts("h2") == ["Findings", "Exemptions in force"]
    assert "No rule is broken." in document.texts("p")
    assert "failed tests" not in document.texts("dt")


def test_a_finding_of_several_tests_has_their_number(run: PageContent) -> None:
    """It is on the page once, as in the terminal."""
    report = Report()
    for test in ("test_a", "test_b"):
        report.add("api", judge([Finding(rule("query-loop"), "GET /a", "six times")]), test)
    document = Document(page(replace(run, data=report.data(), tests=())))
    assert document.texts("p").count("six times") == 1
    assert "api suite, met by 2 tests: it breaks otherwise" in document.texts("p")


def test_a_table_with_a_known_title_and_other_columns_has_no_chart(run: PageContent) -> None:
    """A project's own table called Routes has no chart and loses no row."""
    report = Report()
    report.row("Routes", ["from", "to"], ["Berlin", "Rome"])
    document = Document(page(replace(run, data=report.data())))
    assert "Rome" in document.texts("td")
    assert not list(document.all("svg"))


def test_a_test_records_the_cost_of_its_database(project: pytest.Pytester) -> None:
    """The JUnit file has, for each database of a test, how it came and the milliseconds for giving and taking it."""
    project.makepyfile(**{"tests/test_it": "def test_it(database, empty_database): ..."})
    project.runpytest_inprocess("--junitxml", "out.xml").assert_outcomes(passed=1)
    (test,) = read_tests(project.path / "out.xml")
    assert len(test.databases) == 2
    assert all(test.databases)
    assert test.milliseconds
