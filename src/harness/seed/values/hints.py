"""The constants in a condition: most CHECKs carry the values that satisfy them, or their neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_STRING = re.compile(
    r"(?P<operator>!?~~?\*?\s+)?(?<![\w])E?'(?P<text>(?:[^']|'')*)'(?P<cast>::[\w .\"]+(\(\d+(,\d+)?\))?(\[\])?)?"
)
_NAME = re.compile(r"::\s*[\w .\"]+(\(\d+(,\d+)?\))?(\[\])*|\"[^\"]*\"|[A-Za-z_][\w$]*")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
_BOUNDS = 1 << 80


@dataclass(frozen=True, slots=True)
class Hints:
    """`numbers` and `strings` in ascending order of appearance, `patterns` of regular expressions, `likes` of LIKE."""

    numbers: tuple[Decimal, ...] = ()
    strings: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    likes: tuple[str, ...] = ()

    @property
    def counts(self) -> tuple[int, ...]:
        """The whole numbers that can be a length."""
        return tuple(sorted({int(number) for number in self.numbers if 0 <= number <= 10_000}))


def read_hints(expressions: Iterable[str]) -> Hints:
    """The constants of expressions as `pg_get_expr` writes them."""
    numbers: list[Decimal] = []
    strings: list[str] = []
    patterns: list[str] = []
    likes: list[str] = []
    for expression in expressions:
        for match in _STRING.finditer(expression):
            text = match["text"].replace("''", "'")
            if match[0].lstrip("!~* ").startswith("E'"):
                text = text.replace("\\\\", "\\")
            if expression[: match.start()].endswith("similar_to_escape("):
                patterns.append("^(" + text.replace("%", ".*").replace("_", ".") + ")$")
                continue
            operator = (match["operator"] or "").strip()
            target = likes if operator in ("~~", "~~*") else patterns if operator in ("~", "~*") else strings
            target.append(text)
            if target is strings:
                numbers += _numbers(text)
                strings += _elements(text, match["cast"] or "")
        rest = _NAME.sub(" ", _STRING.sub(" ", expression))
        numbers += [Decimal(found) for found in _NUMBER.findall(rest)]
    unique = dict.fromkeys
    return Hints(tuple(sorted(set(numbers))), tuple(unique(strings)), tuple(unique(patterns)), tuple(unique(likes)))


def _numbers(text: str) -> list[Decimal]:
    """A number in quotes, as negative ones are written."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return []
    return [number] if number.is_finite() and abs(number) < _BOUNDS else []


def _elements(text: str, cast: str) -> list[str]:
    """The elements of a constant array."""
    if cast.endswith("[]") and text.startswith("{") and text.endswith("}"):
        return [part.strip('"') for part in text[1:-1].split(",") if part]
    return []
