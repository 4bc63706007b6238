"""Statement texts made comparable, and made short enough to read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from harness.sql.lexer import fold, scan

_LIST = re.compile(r"\( ?(?:\?(?: ?:: ?[\w\[\]]+(?:\(\?\))?)? ?, ?)*\?(?: ?:: ?[\w\[\]]+(?:\(\?\))?)? ?\)")
_LISTS = re.compile(r"(\(\?…?\))(?: ?, ?\(\?…?\))+")
_VALUES = ("string", "dollar", "number", "parameter")


@lru_cache(maxsize=4096)
def normalise(statement: str) -> str:
    """Return the text without what differs from call to call.

    Constants and parameters become `?`, lists of them `(?…)`, several such rows one; comments go, white space is one
    blank, words outside quotes are lower case.
    """
    text = "".join(_parts(statement)).rstrip("; ")
    text = _LIST.sub(lambda found: "(?…)" if "," in found.group() else "(?)", text)
    text = re.sub(r"\b(in|values) \(\?\)", r"\1 (?…)", text)
    return _LISTS.sub(r"\1", text)


def _parts(statement: str) -> Iterator[str]:
    """The tokens, with a blank between those that are apart, but not within brackets and before a comma."""
    last, behind = "", 0
    for kind, text, start, end in scan(statement):
        if start > behind > 0 and text not in (",", ";", ")", "]") and last not in ("(", "["):
            yield " "
        yield "?" if kind in _VALUES else fold(text) if kind == "word" else text
        last, behind = text, end


_SELECT_LIST = re.compile(r"^(select(?: distinct)?) (.+?) (from\b)", re.IGNORECASE)
_RETURNING = re.compile(r"(\breturning) .+$", re.IGNORECASE)


def shorten(statement: str, width: int = 160) -> str:
    """Return one line of at most `width` characters; columns are left out first, since they tell least."""
    line = " ".join(statement.split())
    if len(line) > width:
        line = _SELECT_LIST.sub(r"\1 … \3", line, count=1)
        line = _RETURNING.sub(r"\1 …", line)
    return line if len(line) <= width else f"{line[: width - 1]}…"
