"""Find the idioms that CONTRIBUTING.md asks to avoid: `python -m tools.words` names file, line and plainer word."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from tools.rename import ROOT, tracked

PAGE = "CONTRIBUTING.md"
ROW = re.compile(r"^\| (\w[^|]*?) \| (\w[^|]*?) \|$", re.MULTILINE)
GAP = r'[\s#"_]+'
"""What may separate the words of an idiom: a line break in prose, in a comment, in a string; the _ of a name."""


def words(page: str) -> dict[str, str]:
    """Return the idioms in the table below the heading Words, each with the plainer word."""
    return dict(ROW.findall(page.partition("\n## Words\n")[2].partition("\n## ")[0])[1:])


def hits(text: str, table: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Yield the line and the idiom of each place in `text`, in any case; Python's None is not a word."""
    either = "|".join(GAP.join(idiom.split()) for idiom in sorted(table, key=len, reverse=True)) or "(?!)"
    for found in re.finditer(rf"(?<![a-z])(?:{either})(?![a-z])", text.replace("None", "null").lower()):
        yield text.count("\n", 0, found.start()) + 1, " ".join(re.split(GAP, found[0]))


def main() -> None:
    """Print each hit as `file:line: idiom: plainer word`; exit with 1 if there is one."""
    table = words((ROOT / PAGE).read_text(encoding="utf-8"))
    names = [
        name for name in tracked(ROOT) if name.endswith((".md", ".py")) and name != PAGE and (ROOT / name).exists()
    ]
    places = [(name, *hit) for name in names for hit in hits((ROOT / name).read_text(encoding="utf-8"), table)]
    sys.exit("\n".join(f"{name}:{line}: {idiom}: {table[idiom]}" for name, line, idiom in places) or None)


if __name__ == "__main__":
    main()
