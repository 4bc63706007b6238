"""The tables of docs/proof.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.proof.change import Change
from tools.proof.running import Outcome

BEGIN = "<!-- written by nox -s proof -- --write-docs -->"
END = "<!-- end of what is written -->"


def tables(outcomes: Sequence[Outcome]) -> str:
    """Return the table of faults with what names them, and the table of harmless changes with their tests."""
    faults = [item for item in outcomes if item.change.expected]
    harmless = [item for item in outcomes if not item.change.expected]
    return "\n".join(
        [
            f"Of the faults {_share(faults)} are caught, of the harmless changes {_share(harmless)} pass.",
            "",
            "## Faults",
            "",
            *_table(("id", "what was done", "named by", "in"), (_fault(item) for item in faults)),
            "",
            "## Harmless changes",
            "",
            *_table(("id", "what was done", "let pass by"), (_harmless(item) for item in harmless)),
        ]
    )


def write(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write the tables between the marks of the page."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n\n{tables(outcomes)}\n\n{END}{after}", encoding="utf-8")


def _share(outcomes: Sequence[Outcome]) -> str:
    right = sum(item.right for item in outcomes)
    return f"all {right}" if right == len(outcomes) else f"{right} of {len(outcomes)}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    cells = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]


def _fault(outcome: Outcome) -> tuple[str, ...]:
    change = outcome.change
    name = f"`{change.expected.rpartition('::')[2]}`"
    return change.id, change.done, name if outcome.right else f"**not caught**: {outcome.problem}", _files(change)


def _harmless(outcome: Outcome) -> tuple[str, ...]:
    change = outcome.change
    return change.id, change.done, _files(change) if outcome.right else f"**stopped**: {outcome.problem}"


def _files(change: Change) -> str:
    """Return the files of the tests, each once."""
    names = dict.fromkeys(re.sub(r"^tests/|::.*", "", test) for test in change.tests)
    return ", ".join(f"`{name}`" for name in names)
