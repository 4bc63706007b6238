"""The report of a run, collected from every suite and worker, for the terminal, as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from harness.findings import Finding, Verdict


@dataclass(slots=True)
class ReportTable:
    """A table such as `route · queries · round trips · ms`; every row has a cell for each column."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def markdown(self) -> str:
        """Return a table in GitHub's Markdown."""
        lines = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)

    def plain(self) -> str:
        """Return the table as text, its columns padded to their widest cell."""
        lines = [self.columns, *self.rows]
        widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
        )


@dataclass(slots=True)
class Report:
    """The findings and tables of a run; `data` and `merge` carry it from a worker of xdist to the controller.

    A finding is there once, with the ids of all `tests` that met it, the first of which it fails; `fails` is false if
    it is only shown.
    """

    findings: list[dict[str, Any]] = field(default_factory=list)
    exemptions: list[dict[str, str]] = field(default_factory=list)
    tables: dict[str, ReportTable] = field(default_factory=dict)

    def add(self, suite: str, verdict: Verdict, test: str = "") -> Verdict:
        """Add the verdict of a test; return it without what has failed another test before.

        The caller fails its test if that is not clean.
        """
        known = self._known()
        failing = (True,) * len(verdict.failing) + (False,) * len(verdict.shown)
        for finding, fails in zip((*verdict.failing, *verdict.shown), failing, strict=True):
            made = {"suite": suite, **as_json(finding), "key": finding.key, "fails": fails, "tests": [test]}
            self._meet(known.get(finding.key), made)
        for _, exemption in verdict.exempted:
            self.exemptions.append({"suite": suite, **asdict(exemption)})
        first = {key: item["tests"][0] for key, item in known.items() if item["fails"]}
        known_here = ("", test) if test else first.values()
        return replace(
            verdict, failing=tuple(item for item in verdict.failing if first.get(item.key, "") in known_here)
        )

    def _known(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """Return the findings so far by their key; of those with the same key, which one test has met, the first."""
        return {tuple(item["key"]): item for item in reversed(self.findings)}

    def _meet(self, known: dict[str, Any] | None, made: dict[str, Any]) -> None:
        """Add a finding, or its tests to the one that is known."""
        if known is None:
            self.findings.append(made)
        else:
            known["tests"] += [test for test in made["tests"] if test not in known["tests"]]

    def tests(self, key: Iterable[str]) -> list[str]:
        """Return the ids of the tests that have met a finding, by its key."""
        met = (test for item in self.findings if tuple(item["key"]) == tuple(key) for test in item["tests"])
        return list(dict.fromkeys(met))

    def unreported(self, failed: Collection[str]) -> list[dict[str, Any]]:
        """Return the findings that tests have only counted, of whose tests none is among those that failed."""
        counted = [item for item in self.findings if item["fails"] and len(item["tests"]) > 1]
        return [item for item in counted if not any(test in failed for test in item["tests"])]

    def row(self, title: str, columns: Sequence[str], cells: Sequence[object]) -> None:
        """Add a row to the table of that title, which the first row creates."""
        table = self.tables.setdefault(title, ReportTable(title, tuple(columns)))
        table.rows.append(tuple(map(str, cells)))

    def data(self) -> dict[str, Any]:
        """Return the report as lists, dictionaries and texts."""
        tables = [asdict(table) for table in self.tables.values()]
        return {"findings": self.findings, "exemptions": self.exemptions, "tables": tables}

    def merge(self, data: dict[str, Any]) -> None:
        """Add what another process collected; rows are sorted, so that the order of processes does not matter."""
        known = self._known()
        for item in data["findings"]:
            self._meet(known.get(tuple(item["key"])), item)
        self.exemptions += data["exemptions"]
        for table in data["tables"]:
            for cells in table["rows"]:
                self.row(table["title"], table["columns"], cells)
            self.tables[table["title"]].rows.sort()

    def markdown(self) -> str:
        """Return findings, tables, and exemptions in force with their reasons, for the summary page of a CI run."""
        blocks = [f"### {table.title}\n\n{table.markdown()}" for table in self._tables(self.findings)]
        return "\n\n".join(blocks) + "\n" if blocks else ""

    def plain(self) -> str:
        """Return the same for a terminal, without the findings that fail: their tests' failures show them."""
        shown = [item for item in self.findings if not item["fails"]]
        return "\n\n".join(f"{table.title}\n{table.plain()}" for table in self._tables(shown))

    def _tables(self, shown: Sequence[dict[str, Any]]) -> list[ReportTable]:
        """Return findings, the suites' tables, and exemptions as tables, without empty ones."""
        findings = ReportTable("Findings", ("severity", "rule", "object", "message"))
        findings.rows = [tuple(_first_line(item[name]) for name in findings.columns) for item in shown]
        exemptions = ReportTable("Exemptions in force", ("rule", "object", "reason"))
        exemptions.rows = sorted({tuple(item[name] for name in exemptions.columns) for item in self.exemptions})
        return [table for table in (findings, *self.tables.values(), exemptions) if table.rows]


def _first_line(text: str) -> str:
    """Return the first line, for a table's cell; the failure and the JSON have the rest."""
    return text.partition("\n")[0]


def as_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as the JSON outputs show it; revision, statement, file and line only where there are any."""
    shown: dict[str, Any] = {
        "rule": finding.rule.id,
        "severity": finding.severity,
        "object": finding.object,
        "message": finding.message,
        "why": finding.rule.why,
        "fix": finding.fix or finding.rule.fix,
    }
    optional = {name: getattr(finding, name) for name in ("revision", "statement", "file", "line")}
    return shown | {name: value for name, value in optional.items() if value is not None}
