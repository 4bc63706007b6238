"""SQL text cut into statements and tokens, far enough to recognise a statement by its first words.

Strings, dollar quotes, quoted identifiers and comments are each one token, so that nothing inside them is mistaken for
a keyword (PostgreSQL manual, 4.1 "Lexical Structure").
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TOKEN = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*.*?\*/ )
    | (?P<dollar> \$(?P<tag>\w*)\$ .*? \$(?P=tag)\$ )
    | (?P<escape> [eE]'(?:[^'\\]|''|\\.)*' )
    | (?P<string> '(?:[^']|'')*' )
    | (?P<quoted> "(?:[^"]|"")*" )
    | (?P<hole> \{[^{}]*\} )
    | (?P<word> [^\W\d][\w$]* )
    | (?P<number> \d[\w.]* )
    | (?P<sign> ::|\S )
    """,
    re.VERBOSE | re.DOTALL,
)

Tokens = Sequence[str]


def statements(text: str) -> list[Tokens]:
    """The statements of `text`, each as its tokens: words in upper case, quoted identifiers and literals as written."""
    found: list[list[str]] = [[]]
    for match in TOKEN.finditer(text):
        if match.lastgroup == "comment":
            continue
        if match.group() == ";":
            found.append([])
        else:
            found[-1].append(match.group().upper() if match.lastgroup == "word" else match.group())
    return [tokens for tokens in found if tokens]


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
