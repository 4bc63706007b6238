"""Texts that match a simple regular expression, one for each index."""

from __future__ import annotations

import string
from dataclasses import replace
from functools import reduce

from harness.seed.values.generators import ENDLESS, LETTERS, Generator, constant

CLASSES = {
    "alpha": LETTERS,
    "lower": LETTERS,
    "upper": LETTERS.upper(),
    "digit": string.digits,
    "alnum": LETTERS + string.digits,
    "xdigit": string.digits + "abcdef",
    "space": " ",
    "punct": "-_.",
    "word": LETTERS + string.digits,
}
ESCAPES = {"d": "digit", "w": "word", "s": "space"}
ANYTHING = LETTERS + string.digits + "-_.@ /:+,"
SPARE = 8
"""The number of repetitions of an unbounded quantifier."""


class UnknownPatternError(Exception):
    """The expression uses a form that is not known here."""


def pattern_generator(pattern: str) -> Generator | None:
    """Return a generator of texts that match `pattern`, or None for an unsupported pattern."""
    try:
        reader = _Reader(pattern)
        part = reader.alternatives()
        if reader.left:
            raise UnknownPatternError(reader.left)
    except (UnknownPatternError, IndexError):
        return None
    if pattern.endswith("$") or part.capacity >= ENDLESS:
        return replace(part, name=f"~ {pattern!r}")
    return Generator(f"~ {pattern!r} and a number", lambda index: f"{part.make(0)}{index}")


def _sequence(first: Generator, second: Generator) -> Generator:
    """Return two parts in sequence; the second changes fastest."""
    capacity = min(first.capacity * second.capacity, ENDLESS)

    def make(index: int) -> str:
        high, low = divmod(index, second.capacity)
        return first.make(high % first.capacity) + second.make(low)

    return Generator("in sequence", make, capacity)


def _signs(signs: str) -> Generator:
    return Generator("signs", signs.__getitem__, len(signs))


_NOTHING = constant("")


class _Reader:
    """A recursive-descent parser of the pattern."""

    def __init__(self, pattern: str) -> None:
        self.left = pattern

    def alternatives(self) -> Generator:
        """Read `a|b|c`, whose alternatives are used in turn."""
        options = [self.branch()]
        while self.left.startswith("|"):
            self.left = self.left[1:]
            options.append(self.branch())
        if len(options) == 1:
            return options[0]
        each = min(option.capacity for option in options)
        count = len(options)
        return Generator(
            "in turn", lambda index: options[index % count].make(index // count), min(each * count, ENDLESS)
        )

    def branch(self) -> Generator:
        """Read parts in sequence."""
        parts = []
        while self.left and self.left[0] not in "|)":
            parts.append(self.repeated(self.atom()))
        return reduce(_sequence, parts, _NOTHING)

    def atom(self) -> Generator:
        """Read a character, class, group or anchor."""
        sign, self.left = self.left[0], self.left[1:]
        if sign in "^$":
            return _NOTHING
        if sign == "(":
            return self.group()
        if sign == "[":
            return _signs(self.members())
        if sign == ".":
            return _signs(LETTERS)
        if sign == "\\":
            return self.escape()
        if sign in "*+?{":
            raise UnknownPatternError(sign)
        return _signs(sign)

    def group(self) -> Generator:
        """Read `(…)` or `(?:…)`; lookaround is not supported."""
        if self.left.startswith("?:"):
            self.left = self.left[2:]
        elif self.left.startswith("?"):
            raise UnknownPatternError(self.left)
        inner = self.alternatives()
        if not self.left.startswith(")"):
            raise UnknownPatternError(self.left)
        self.left = self.left[1:]
        return inner

    def escape(self) -> Generator:
        r"""Read `\d`, `\.` and the like; a boundary is empty."""
        sign, self.left = self.left[:1], self.left[1:]
        if sign in ESCAPES:
            return _signs(CLASSES[ESCAPES[sign]])
        if sign in set("mMyAZ"):
            return _NOTHING
        if sign.isalnum() or not sign:
            raise UnknownPatternError(sign)
        return _signs(sign)

    def members(self) -> str:
        """Read the characters of a bracket expression, without those that differ only in case."""
        negated = self.left.startswith("^")
        self.left = self.left[negated:]
        signs = ""
        while not self.left.startswith("]") or not signs:
            if not self.left:
                raise UnknownPatternError("[")
            signs += self.member()
        self.left = self.left[1:]
        if negated:
            signs = "".join(sign for sign in ANYTHING if sign not in signs)
        kept = "".join(dict.fromkeys(sign for sign in signs if not (sign.isupper() and sign.lower() in signs)))
        if not kept:
            raise UnknownPatternError("[]")
        return kept

    def member(self) -> str:
        """Read a character, range or named class inside brackets."""
        if self.left.startswith("[:"):
            name, _, self.left = self.left[2:].partition(":]")
            if name not in CLASSES:
                raise UnknownPatternError(name)
            return CLASSES[name]
        sign, self.left = self.left[0], self.left[1:]
        if sign == "\\":
            sign, self.left = self.left[0], self.left[1:]
            if sign in ESCAPES:
                return CLASSES[ESCAPES[sign]]
        if len(self.left) > 1 and self.left[0] == "-" and self.left[1] != "]":
            last, self.left = self.left[1], self.left[2:]
            return "".join(map(chr, range(ord(sign), ord(last) + 1)))
        return sign

    def repeated(self, part: Generator) -> Generator:
        """Read `*`, `+`, `?` or `{m,n}` after a part, as one fixed count."""
        low, high = self.quantifier()
        count = max(low, min(high, SPARE)) if part.capacity > 1 else max(low, min(high, 1))
        return reduce(_sequence, [part] * count, _NOTHING)

    def quantifier(self) -> tuple[int, int]:
        """Read how often the part before may be repeated."""
        sign = self.left[:1]
        if sign not in ("*", "+", "?", "{"):
            return 1, 1
        if sign != "{":
            self.left = self.left[1:].removeprefix("?")
            return {"*": (0, SPARE), "+": (1, SPARE), "?": (0, 1)}[sign]
        inside, _, self.left = self.left[1:].partition("}")
        low, comma, high = inside.partition(",")
        if not low.isdigit() or (high and not high.isdigit()):
            raise UnknownPatternError(inside)
        return int(low), int(high) if high else SPARE if comma else int(low)
