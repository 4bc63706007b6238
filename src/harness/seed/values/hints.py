"""The constants in a condition: most CHECKs contain values that satisfy them, or their neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from harness.sql.lexer import Token, constant, scan

_CAST = re.compile(r'::[\w ."]+(\(\d+(,\d+)?\))?(\[\])*')
_MATCH = re.compile(r"(?<![!~])(~~?)\*? $")
"""The operators of LIKE and of regular expressions, as pg_get_expr writes them before a pattern."""
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
        """The integers that can be a length."""
        return tuple(sorted({int(number) for number in self.numbers if 0 <= number <= 10_000}))


def read_hints(expressions: Iterable[str]) -> Hints:
    """Return the constants of expressions, as `pg_get_expr` writes them."""
    numbers: list[Decimal] = []
    strings: list[str] = []
    patterns: list[str] = []
    likes: list[str] = []
    for expression in expressions:
        for token, before, cast in _constants(expression):
            text = constant(token.text) if token.kind == "string" else token.text
            if token.kind == "number":
                numbers.append(Decimal(text))
            elif before.endswith("similar_to_escape("):
                patterns.append("^(" + text.replace("%", ".*").replace("_", ".") + ")$")
            elif found := _MATCH.search(before):
                (likes if found[1].startswith("~~") else patterns).append(text)
            else:
                strings += [text, *_elements(text, cast)]
                numbers += _numbers(text)
    unique = dict.fromkeys
    return Hints(tuple(sorted(set(numbers))), tuple(unique(strings)), tuple(unique(patterns)), tuple(unique(likes)))


def _numbers(text: str) -> list[Decimal]:
    """Return a quoted number, as negative ones are written."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return []
    return [number] if number.is_finite() and abs(number) < _BOUNDS else []


def _constants(expression: str) -> Iterator[tuple[Token, str, str]]:
    """Yield the constants, each with the text before and the cast after it, without the sizes of types."""
    behind = 0
    for token in scan(expression):
        if cast := _CAST.match(expression, token.start):
            behind = cast.end()
        elif token.kind in ("string", "number") and token.start >= behind:
            cast = _CAST.match(expression, token.end)
            yield token, expression[: token.start], cast[0] if cast else ""


def _elements(text: str, cast: str) -> list[str]:
    """Return the elements of a constant array."""
    if cast.endswith("[]") and text.startswith("{") and text.endswith("}"):
        return [part.strip('"') for part in text[1:-1].split(",") if part]
    return []
