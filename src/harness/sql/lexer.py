"""SQL text cut into statements and tokens, far enough to recognise a statement by its first words.

Strings, dollar quotes, quoted identifiers and comments are each one token, so that nothing inside them is mistaken for
a keyword (PostgreSQL manual, 4.1 "Lexical Structure").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

GRAMMAR = r"""
      (?P<comment> --[^\n]* | /\* )
    | (?P<dollar> \$(?P<tag>(?:[^\W\d]\w*)?)\$ .*? \$(?P=tag)\$ )
    | (?P<escape> [eE]'(?:[^'\\]|''|\\.)*' )
    | (?P<string> '(?:[^']|'')*' )
    | (?P<quoted> "(?:[^"]|"")*" )
    | (?P<hole> [\w$]*(?:\{[^{}]*\}[\w$]*)+ )
    | (?P<word> (?![eE]')[^\W\d][\w$]* )
    | (?P<number> \d[\w.]* )
    | (?P<sign> ::|\S )
    """
TOKEN = re.compile(GRAMMAR, re.VERBOSE | re.DOTALL)
BACKSLASHED = re.compile(
    GRAMMAR.replace("<escape> [eE]'", "<escape> [eE]?'").replace("<string>", "<string> (?!)"), re.VERBOSE | re.DOTALL
)
"""With standard_conforming_strings off a backslash escapes in every string."""

COMMENT = re.compile(r"/\*|\*/")
OPEN = {"'", '"', "$", "e", "E", "/*"}
"""Signs that stand alone only where a string, a name or a comment has no end, or for a parameter."""

Tokens = Sequence[str]


@dataclass(frozen=True, slots=True)
class Token:
    """One token with the place that it was found at; `kind` is a group of the grammar."""

    kind: str
    text: str
    start: int
    end: int


def scan(text: str, *, backslashes: bool = False) -> Iterator[Token]:
    """The tokens of a text, without its comments, which nest."""
    pattern = BACKSLASHED if backslashes else TOKEN
    at = 0
    while match := pattern.search(text, at):
        kind, at = match.lastgroup or "", match.end()
        if match.group() == "/*":
            if end := _end_of_comment(text, at):
                at = end
            else:
                kind = "sign"
        if kind != "comment":
            yield Token(kind, match.group(), match.start(), at)


def _end_of_comment(text: str, at: int) -> int:
    """The place behind a comment that began before `at`; 0 where it has no end."""
    depth = 1
    while depth and (mark := COMMENT.search(text, at)):
        depth += 1 if mark.group() == "/*" else -1
        at = mark.end()
    return 0 if depth else at


def statements(text: str) -> list[Tokens]:
    """The statements of `text`, each as its tokens: words in upper case, quoted identifiers and literals as written."""
    return [tokens for tokens, _ in written(text)]


def written(text: str) -> list[tuple[Tokens, str]]:
    """The same, each with its text as it stands there."""
    return [
        (
            [token.text.upper() if token.kind == "word" else token.text for token in statement],
            text[statement[0].start : statement[-1].end],
        )
        for statement in _cut(scan(text))
    ]


def split(text: str, *, backslashes: bool = False) -> list[str]:
    """The statements of `text`, each as written; none where a string, a name or a comment has no end."""
    found = _cut(scan(text, backslashes=backslashes))
    if any(token.kind == "sign" and token.text in OPEN for statement in found for token in statement):
        return []
    return [text[statement[0].start : statement[-1].end] for statement in found]


def _cut(tokens: Iterator[Token]) -> list[list[Token]]:
    """Statements: a semicolon in parentheses (CREATE RULE), or in BEGIN ATOMIC ... END, ends none."""
    found: list[list[Token]] = [[]]
    parentheses = blocks = 0
    for token in tokens:
        word = token.text.upper() if token.kind in ("word", "sign") else ""
        if word == ";" and not parentheses and not blocks:
            found.append([])
            continue
        parentheses = max(parentheses + {"(": 1, ")": -1}.get(word, 0), 0)
        if word == "ATOMIC" and found[-1] and found[-1][-1].text.upper() == "BEGIN":
            blocks = 1
        elif blocks:
            blocks += {"CASE": 1, "END": -1}.get(word, 0)
        found[-1].append(token)
    return [statement for statement in found if statement]


def starts(tokens: Tokens, *words: str) -> bool:
    """Whether a statement begins with these words."""
    return tuple(tokens[: len(words)]) == words


def after(tokens: Tokens, *words: str) -> Tokens:
    """What follows the first occurrence of these words outside parentheses; nothing when they do not occur."""
    depth = 0
    for index, token in enumerate(tokens):
        if depth == 0 and starts(tokens[index:], *words):
            return tokens[index + len(words) :]
        depth += {"(": 1, ")": -1}.get(token, 0)
    return ()


def until(tokens: Tokens, *ends: str) -> Tokens:
    """What stands before the first of the words `ends` outside parentheses."""
    depth = 0
    for index, token in enumerate(tokens):
        if depth == 0 and token in ends:
            return tokens[:index]
        depth += {"(": 1, ")": -1}.get(token, 0)
    return tokens


def commas(tokens: Tokens) -> list[Tokens]:
    """The parts between commas outside parentheses and brackets."""
    parts: list[list[str]] = [[]]
    depth = 0
    for word in tokens:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(word, 0)
        if word == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]


def name(tokens: Tokens) -> str:
    """The possibly qualified name that `tokens` begin with, folded as Postgres folds it."""
    parts = [fold(tokens[0])] if tokens else []
    index = 1
    while starts(tokens[index:], ".") and len(tokens) > index + 1:
        parts.append(fold(tokens[index + 1]))
        index += 2
    return ".".join(parts)


def fold(token: str) -> str:
    """An identifier as the catalogue stores it: lower case, or what stands between double quotes."""
    if token.startswith('"'):
        return token[1:-1].replace('""', '"')
    return token.lower()
