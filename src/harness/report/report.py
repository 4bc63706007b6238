"""The report of a run, collected from every suite and worker, for the terminal, as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
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
    """The findings and tables of a run; `data` and `merge` carry it from a worker of xdist to the controller."""

    findings: list[dict[str, Any]] = field(default_factory=list)
    exemptions: list[dict[str, str]] = field(default_factory=list)
    tables: dict[str, ReportTable] = field(default_factory=dict)

    def add(self, suite: str, verdict: Verdict) -> None:
        """Add a verdict; the caller fails its test if it is not clean."""
        for finding in (*verdict.failing, *verdict.shown):
            self.findings.append({"suite": suite, **as_json(finding)})
        for _, exemption in verdict.exempted:
            self.exemptions.append({"suite": suite, **asdict(exemption)})

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
        self.findings += data["findings"]
        self.exemptions += data["exemptions"]
        for table in data["tables"]:
            for cells in table["rows"]:
                self.row(table["title"], table["columns"], cells)
            self.tables[table["title"]].rows.sort()

    def markdown(self) -> str:
        """Return findings, tables, and exemptions in force with their reasons, for the summary page of a CI run."""
        blocks = [f"### {table.title}\n\n{table.markdown()}" for table in self._tables()]
        return "\n\n".join(blocks) + "\n" if blocks else ""

    def plain(self) -> str:
        """Return the same for a terminal."""
        return "\n\n".join(f"{table.title}\n{table.plain()}" for table in self._tables())

    def _tables(self) -> list[ReportTable]:
        """Return findings, the suites' tables, and exemptions as tables, without empty ones."""
        findings = ReportTable("Findings", ("severity", "rule", "object", "message"))
        findings.rows = [tuple(_first_line(item[name]) for name in findings.columns) for item in self.findings]
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
