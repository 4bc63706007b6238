"""Statement texts made comparable, and made short enough to read."""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*)
    | (?P<comment>/\*)
    | (?P<literal>
          [eE]'(?:[^'\\]|''|\\.)*'                 # escape string
        | (?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'        # string, bit string, national and Unicode string
        | \$(?P<tag>[^\W\d]\w*)?\$.*?\$(?(tag)(?P=tag))\$   # dollar-quoted string
        | (?<![\w$])(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?|\.\d+)
        | \$\d+                                    # parameter
      )
    | (?P<name>(?:[uU]&)?"(?:[^"]|"")*")
    | (?P<word>[^\W\d][\w$]*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_LIST = re.compile(r"\( ?(?:\?(?: ?:: ?[\w\[\]]+(?:\(\?\))?)? ?, ?)*\?(?: ?:: ?[\w\[\]]+(?:\(\?\))?)? ?\)")
_LISTS = re.compile(r"(\(\?…?\))(?: ?, ?\(\?…?\))+")
_SPACED = re.compile(r"\s+([,;)\]])|([(\[])\s+")


@lru_cache(maxsize=4096)
def normalise(statement: str) -> str:
    """The text without what differs from call to call.

    Literals and parameters become `?`, lists of them `(?…)`, several such rows one; comments go, white space is one
    blank, words outside quotes are lower case.
    """
    text = _SPACED.sub(r"\1\2", " ".join("".join(_parts(statement)).split())).rstrip("; ")
    text = _LIST.sub(lambda found: "(?…)" if "," in found.group() else "(?)", text)
    text = re.sub(r"\b(in|values) \(\?\)", r"\1 (?…)", text)
    return _LISTS.sub(r"\1", text)


def _parts(statement: str) -> list[str]:
    parts: list[str] = []
    position = 0
    while found := _TOKEN.match(statement, position):
        position = found.end()
        kind = found.lastgroup if found.lastgroup != "tag" else "literal"
        if kind == "comment":
            position = _behind_comment(statement, position)
        if kind in ("space", "comment"):
            parts.append(" ")
        elif kind == "literal":
            parts.append("?")
        else:
            parts.append(found.group().lower() if kind == "word" else found.group())
    return parts


def _behind_comment(statement: str, position: int) -> int:
    """The offset behind a comment that was opened before `position`; comments nest (manual, 4.1.5)."""
    depth = 1
    for mark in re.compile(r"/\*|\*/").finditer(statement, position):
        depth += 1 if mark.group() == "/*" else -1
        if not depth:
            return mark.end()
    return len(statement)


_SELECT_LIST = re.compile(r"^(select(?: distinct)?) (.+?) (from\b)", re.IGNORECASE)
_RETURNING = re.compile(r"(\breturning) .+$", re.IGNORECASE)


def shorten(statement: str, width: int = 160) -> str:
    """One line of at most `width` characters, without the columns, which tell least."""
    line = " ".join(statement.split())
    if len(line) > width:
        line = _SELECT_LIST.sub(r"\1 … \3", line, count=1)
        line = _RETURNING.sub(r"\1 …", line)
    return line if len(line) <= width else f"{line[: width - 1]}…"
