"""Write the tables of rules in docs/schema.md, docs/migrations.md and docs/api.md: `python -m tools.rule_tables`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from harness.rules_command import every_rule

DOCS = Path(__file__).resolve().parent.parent / "docs"
SUITES = ("schema", "migrations", "api")
HEADINGS = {"harness.rules": "Exemptions"}
MARKED = re.compile(r"(<!-- rules:begin[^>]*-->\n).*?(<!-- rules:end -->)", re.DOTALL)


def page(suite: str) -> str:
    """Return the page of a suite with its tables as the catalogue has them."""
    tables = "\n".join(_tables(suite))
    text = (DOCS / f"{suite}.md").read_text(encoding="utf-8")
    return MARKED.sub(lambda found: f"{found[1]}{tables}\n{found[2]}", text)


def _tables(suite: str) -> Iterator[str]:
    """Yield one table a module, below the first line of its docstring."""
    places = {check: (check.rule.suite == "every suite", check.find.__module__) for check in every_rule()}
    checks = sorted((check for check in places if check.rule.suite in (suite, "every suite")), key=places.__getitem__)
    for module, rules in groupby(checks, key=lambda check: check.find.__module__):
        heading = HEADINGS.get(module) or (sys.modules[module].__doc__ or "").partition(".")[0]
        yield f"\n### {heading}\n\n| rule | level | finds | why |\n| --- | --- | --- | --- |"
        for check in sorted(rules, key=lambda check: (check.rule.optional, check.id)):
            cells = (f"`{check.id}`", check.level, check.finds, check.rule.why)
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def main() -> None:
    """Write the three pages."""
    for suite in SUITES:
        (DOCS / f"{suite}.md").write_text(page(suite), encoding="utf-8")


if __name__ == "__main__":
    main()
