"""Whether a statement counts rows: what its select list says, subqueries and grouping looked at."""

from __future__ import annotations

import re

_SUBQUERY = re.compile(r"\((?:select|with)\b")
_COUNT = re.compile(r"\bcount ?\(")
_LIST = re.compile(r"\bselect (.+?)(?= from |$)")


def counts_rows(text: str) -> bool:
    """Whether a normalised SELECT counts all that it finds: count( in its own select list, and no GROUP BY of its own.

    A subquery in the list of a statement with FROM counts for each row, and is no count of the list; nor is a window.
    """
    outer = _outer(text)
    flat = _flat(outer)
    listed = _LIST.search(flat)
    if listed is None or not text.startswith(("select", "with")) or " group by " in flat:
        return False
    if " from " not in flat and any(counts_rows(inner) for inner in _subqueries(text)):
        return True
    return _counts(outer[listed.start(1) : listed.end(1)])


def _counts(listed: str) -> bool:
    """Whether a select list has a count( that is no window."""
    return any(not listed[_end(listed, found.end()) :].startswith(" over") for found in _COUNT.finditer(listed))


def _outer(text: str) -> str:
    """The text with every subquery emptied."""
    for inner in _subqueries(text):
        text = text.replace(f"({inner})", "()")
    return text


def _subqueries(text: str) -> list[str]:
    """The outermost subqueries in brackets, without these."""
    found, position = [], 0
    while begun := _SUBQUERY.search(text, position):
        position = _end(text, begun.start() + 1)
        found.append(text[begun.start() + 1 : position - 1])
    return found


def _flat(text: str) -> str:
    """The text with a dot for each character in brackets, so that offsets stay and EXTRACT(year FROM …) is no FROM."""
    flat, depth = "", 0
    for sign in text:
        depth -= sign == ")"
        flat += "." if depth else sign
        depth += sign == "("
    return flat


def _end(text: str, position: int) -> int:
    """The offset behind the bracket that closes the one before `position`."""
    depth = 1
    while depth and position < len(text):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        position += 1
    return position
