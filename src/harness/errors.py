"""The one error of the harness."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import indent


class HarnessError(Exception):
    """Report that the harness cannot do its work: exit code 2, and no traceback.

    `what` says what happened, with the value; `looked_at` names what was examined; `remedy` says what to do. The last
    two are one text or several, each printed on lines of its own below the first.
    """

    def __init__(self, what: str, *, looked_at: str | Iterable[str] = (), remedy: str | Iterable[str] = ()) -> None:
        super().__init__("\n".join([what, *_lines("looked at", looked_at), *_lines("remedy", remedy)]))


def _lines(label: str, texts: str | Iterable[str]) -> list[str]:
    """Return each text behind its label, indented by two, its further lines by four."""
    given = [texts] if isinstance(texts, str) else texts
    return ["  " + indent(f"{label}: {text}", "    ").lstrip() for text in given]
