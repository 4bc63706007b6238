"""One revision, judged: as it is remembered, shown in a failure, and put into the table of its history."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from harness.findings import Finding
from harness.migrations.tracing.evidence import Trace, strongest
from harness.rules import named
from harness.sql.normalise import shorten

COLUMNS = ("revision", "statements", "strongest lock", "rewrites", "scans", "ms")
"""The table of a history, a row a revision."""


@dataclass(frozen=True)
class RevisionResult:
    """One revision: its findings, its statements and its downgrade as JSON shows them.

    `failed` says that it does not run even without rows; `complete` that it has run to its end on seeded rows, so that
    what no rule found is not there; `cached` that nothing was traced now.
    """

    revision: str
    findings: tuple[Finding, ...]
    statements: tuple[dict[str, Any], ...]
    downgrade: dict[str, Any]
    row: tuple[str, ...]
    failed: bool = False
    complete: bool = True
    cached: bool = False

    def data(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return asdict(self)


def from_data(data: dict[str, Any]) -> RevisionResult:
    """Return a result from what `data` gave.

    Raises:
        HarnessError: for a rule that is not there any more.
        KeyError: for data of another shape.
        TypeError: likewise.
    """
    found = tuple(Finding(**{**item, "rule": named(item["rule"]["id"]).rule}) for item in data["findings"])
    row = tuple(map(str, data["row"]))
    return RevisionResult(
        data["revision"],
        found,
        tuple(data["statements"]),
        data["downgrade"],
        row,
        data["failed"],
        data["complete"],
        cached=True,
    )


MOST = 12
"""Statements that a failure shows; `python -m harness migrations REV --json` has all of them."""


def statements_table(judged: RevisionResult) -> str:
    """Return the statements of a revision as a person reads them in a failure; of many the first ones and the last."""
    shown = [_statement(item) for item in judged.statements]
    if len(shown) > MOST:
        shown[MOST - 1 : -1] = [f"     … and {len(shown) - MOST} more"]
    return "\n".join(shown)


def _statement(item: dict[str, Any]) -> str:
    """Return a statement on one line, and what it did on a second one."""
    locks = ", ".join(f"{lock['mode'].removesuffix('Lock')} {lock['relation']}" for lock in item["locks"])
    where = "outside a transaction" if item["transaction"] is None else f"transaction {item['transaction']}"
    rewrites = "".join(f"; rewrites {rewrite['relation']}" for rewrite in item["rewrites"])
    rows = "".join(f"; {_counts(row)}" for row in item["rows"])
    error = f"; {item['sqlstate']}" if item["error"] else ""
    effect = f"{where}; {item['milliseconds']:.1f} ms; {locks or 'no lock'}{rewrites}{rows}{error}"
    return f"{item['number']:>3}  {shorten(item['sql'], 100)}\n     {effect}"


def _counts(row: dict[str, Any]) -> str:
    counts = [f"{row[name]} {name}" for name in ("read", "inserted", "updated", "deleted") if row[name]]
    return f"{row['relation']} {', '.join(counts)}"


def summary(trace: Trace) -> tuple[str, ...]:
    """Return the row of the history's table."""
    statements = trace.statements
    scans = sum(len(trace.scanned(item)) for item in statements)
    rewrites = sum(len(item.rewrites) for item in statements)
    spent = sum(item.milliseconds for item in statements)
    return (trace.revision, str(len(statements)), strongest(statements), str(rewrites), str(scans), f"{spent:.0f}")
