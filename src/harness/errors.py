"""The one error of the harness."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import indent


class HarnessError(Exception):
    """Reports that the harness cannot do its work: exit code 2, and no traceback.

    `what` says what happened, with the value; `looked_at` names what was examined; `remedy` says what to do. The last
    two are one text or several, each printed on lines below the first.
    """

    def __init__(self, what: str, *, looked_at: str | Iterable[str] = (), remedy: str | Iterable[str]) -> None:
        self.what, self.looked_at, self.remedy = what, _texts(looked_at), _texts(remedy)
        lines = [_labelled("looked at", text) for text in self.looked_at]
        super().__init__("\n".join([what, *lines, *(_labelled("remedy", text) for text in self.remedy)]))


def _texts(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _labelled(label: str, text: str) -> str:
    """Return a text behind its label, indented by two, its further lines by four."""
    return "  " + indent(f"{label}: {text}", "    ").lstrip()
