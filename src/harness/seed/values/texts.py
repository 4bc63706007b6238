"""Generators of texts: believable, short, by pattern, by length, by the constants of a condition."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from harness.seed.values.believable import NOUNS, believable, digest, email, errand, slug, uuid
from harness.seed.values.column_types import ColumnType
from harness.seed.values.generators import DIGITS, ENDLESS, LETTERS, Generator, constant, in_base, one_of
from harness.seed.values.hints import Hints
from harness.seed.values.patterns import pattern_generator

TEXTS = {"text", "varchar", "bpchar", "citext", "name", '"char"'}

ALPHABETS = {
    "letters and digits": DIGITS,
    "small letters": LETTERS,
    "capitals": LETTERS.upper(),
    "digits": string.digits,
}

FAR = 10_000_000
"""A row number that no run reaches: a text that fits there fits everywhere."""


def room(kind: ColumnType) -> int | None:
    """Return the length limit of a type in characters; None without one."""
    if kind.base == '"char"':
        return 1
    if kind.base == "name":
        return 63
    return kind.sizes[0] if kind.sizes else None


def texts(kind: ColumnType, table: str, column: str, hints: Hints) -> Iterator[Generator]:
    """Yield generators of texts, none longer than the type allows."""
    most = room(kind)
    for generator in _all(table, column, hints, most, most if kind.base == "bpchar" else 1):
        longest = max((len(generator.at(index)) for index in (0, 1, 7, FAR, generator.capacity - 1)), default=0)
        if most is None or longest <= most:
            yield generator
        elif generator.capacity == ENDLESS and len(generator.at(0)) <= most:
            yield from _as_far(generator, most)


def _as_far(generator: Generator, most: int) -> Iterator[Generator]:
    """Yield the generator up to the last text that fits, if enough of them do."""
    reach = 1
    while reach < FAR and all(len(generator.at(reach * 10 - back)) <= most for back in range(1, 25)):
        reach *= 10
    if reach >= 10_000:
        yield Generator(generator.name, generator.make, reach)


def _all(table: str, column: str, hints: Hints, most: int | None, width: int | None) -> Iterator[Generator]:
    """Yield candidates of any length, in order; `width` is the least length of short ones."""
    yield from believable(table, column)
    single = column.replace("_", " ")
    yield Generator("the column's name and a number", lambda index: f"{single} {index + 1}")
    short = [_of_width(name, alphabet, most, width or 1) for name, alphabet in ALPHABETS.items() if most != 0]
    yield from short[:1]
    if hints.patterns or hints.likes:
        yield from _common()
    yield from _hinted(hints)
    for size in hints.counts:
        for count in (size, size - 1, size + 1):
            if count > 0 and (most is None or count <= most):
                yield from (_of_width(f"{count} {name}", signs, count, count) for name, signs in ALPHABETS.items())
    yield from short[1:]
    yield Generator("capitals and a number", lambda index: f"{LETTERS[index % 26].upper()}{index + 1}")
    yield Generator("words", errand)
    yield from _common()
    yield Generator("JSON", lambda index: f'{{"number": {index + 1}}}')
    yield Generator("paths", lambda index: f"/{slug(index)}")
    yield Generator("padded with spaces", lambda index: f" {index + 1} ")
    yield constant("")


def _common() -> Iterator[Generator]:
    """Yield texts that match common patterns."""
    yield Generator("addresses of mail", email)
    yield Generator("slugs", slug)
    yield Generator("URLs", lambda index: f"https://example.com/{slug(index)}")
    yield Generator("phone numbers", lambda index: f"+1{2_025_550_000 + index}")
    yield Generator("words in letters only", lambda index: f"{NOUNS[index % len(NOUNS)]}-{in_base(index, LETTERS)}")
    yield Generator("digests", digest)
    yield Generator("UUIDs", uuid)


def _hinted(hints: Hints) -> Iterator[Generator]:
    """Yield texts that the condition itself contains."""
    if hints.strings:
        yield one_of("constants of the condition", hints.strings)
    for pattern in hints.patterns:
        if generator := pattern_generator(pattern):
            yield generator
    for like in hints.likes:
        yield _like(like)
    for text in hints.strings:
        yield constant(text)
        yield Generator(f"{text!r} and a number", lambda index, text=text: f"{text}{index + 1}")  # type: ignore[misc]  # mypy cannot type a default in a lambda
        yield Generator(f"a number and {text!r}", lambda index, text=text: f"{index + 1}{text}")  # type: ignore[misc]  # as above


def _like(pattern: str) -> Generator:
    """Return texts for LIKE: a number for the first `%`, "" for the others, `x` for `_`, escaped characters as such."""
    pieces = [""]
    for sign in re.findall(r"\\.|.", pattern, re.DOTALL):
        if sign == "%":
            pieces.append("")
        else:
            pieces[-1] += "x" if sign == "_" else sign[-1]
    head, tail = pieces[0], "".join(pieces[1:])
    if len(pieces) == 1:
        return constant(head)
    return Generator(f"LIKE {pattern!r}", lambda index: f"{head}{index + 1}{tail}")


def _of_width(name: str, alphabet: str, most: int | None, width: int) -> Generator:
    """Return numbers in an alphabet, the shortest first, from `width` up to `most` characters."""
    base = len(alphabet)
    capacity = ENDLESS if most is None or most > 30 else min(base**most, ENDLESS)
    return Generator(name, lambda index: in_base(index, alphabet, width), capacity)
