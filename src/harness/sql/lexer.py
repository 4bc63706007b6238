"""SQL text as tokens and statements, cut where the server's own lexer cuts it.

Constants, dollar quotes, quoted identifiers and comments are each one token, so that nothing inside them is mistaken
for a keyword or an operator (PostgreSQL manual, 4.1 "Lexical Structure"; scan.l).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from string import ascii_lowercase, ascii_uppercase
from typing import NamedTuple

START = r"[A-Za-z_\x80-\U0010ffff]"
PART = r"[\w$\x80-\U0010ffff]"
TAG = rf"(?:{START}[\w\x80-\U0010ffff]*+)?"
AGAIN = r"'(?:[^\S\n]*+\n\s*+)?'"
"""A doubled quote, or the end of a string and the beginning of its continuation on another line (4.1.2.1)."""
PLAIN = rf"'[^']*(?:{AGAIN}[^']*)*'(?!')"
ESCAPED = rf"'(?:[^'\\]|\\.|{AGAIN})*'(?!')"
TEXT = rf"(?:[bBnNxX]|[uU]&)?{PLAIN}"

GRAMMAR = rf"""
    \s*+ (?: --[^\n\r]*+ \s*+ )* (?!\s|--)
    (?:
      (?P<word> (?![bBeEnNxX]'|[uU]&['"]) {START} {PART}*+ (?!\{{) )
    | (?P<sign> [(),;\[\]] | \.\. | \.(?!\d) | :: )
    | (?P<parameter> \$\d++ )
    | (?P<comment> /\* )
    | (?P<operator> (?:(?!--|/\*)[-+*/<>=])* (?!--|/\*)[~!@\#%^&|`?] (?:(?!--|/\*)[-+*/<>=~!@\#%^&|`?])*
                  | (?:(?!--|/\*)[-+*/<>=])* (?!/\*)[*/<>=]
                  | [-+] )
    | (?P<string> [eE]{ESCAPED} | {TEXT} )
    | (?P<dollar> \$(?P<tag>{TAG})\$ .*? \$(?P=tag)\$ )
    | (?P<name> (?:[uU]&)? (?:"[^"]*")+ (?!") )
    | (?P<number> 0[xX][\da-fA-F_]++ | 0[oO][0-7_]++ | 0[bB][01_]++
                | (?:\d[\d_]*+ (?:\.(?!\.)[\d_]*+)? | \.\d[\d_]*+) (?:[eE][-+]?\d++)? )
    | (?P<hole> {PART}*+ (?:\{{[^{{}}]*\}}{PART}*)+ )
    | (?P<open> (?: (?:[bBeEnNxX]|[uU]&)?['"] | \${TAG}\$ ) .* )
    | (?P<other> . )
    )
    """
"""An operator ends before a comment, and in + or - only with one of ~ ! @ # % ^ & | ` ? in it (4.1.3)."""
OFF = GRAMMAR.replace(TEXT, rf"(?:[nN]|[uU]&)?{ESCAPED} | [bBxX]{PLAIN}")
"""With standard_conforming_strings off a backslash escapes in every string."""
MATCH = [re.compile(grammar, re.VERBOSE | re.DOTALL | re.ASCII).match for grammar in (GRAMMAR, OFF)]
COMMENT = re.compile(r"/\*|\*/")
ESCAPE = re.compile(r"\\(.)", re.DOTALL)
LOWER = dict(zip(map(ord, ascii_uppercase), ascii_lowercase, strict=True))
"""The only letters that the server folds, whatever the language."""

Tokens = Sequence[str]


class Token(NamedTuple):
    """One token and its place in the text.

    `kind` is a group of the grammar: word, name (in double quotes), string, dollar, number, parameter, operator, sign,
    hole (what an f-string fills in), other; open for a string, name or comment that has no end.
    """

    kind: str
    text: str
    start: int
    end: int


def scan(text: str, *, backslashes: bool = False) -> Iterator[Token]:
    """Yield the tokens of a text without its comments; `backslashes` where standard_conforming_strings is off."""
    match, at = MATCH[backslashes], 0
    while found := match(text, at):
        kind, at = found.lastgroup or "", found.end()
        if kind == "comment":
            if end := _end_of_comment(text, at):
                at = end
                continue
            kind, at = "open", len(text)
        start = found.start(found.lastgroup or 0)
        yield Token(kind, text[start:at], start, at)


def _end_of_comment(text: str, at: int) -> int:
    """The place behind a comment that began before `at`; 0 where it has no end."""
    depth = 1
    while depth and (mark := COMMENT.search(text, at)):
        depth += 1 if mark.group() == "/*" else -1
        at = mark.end()
    return 0 if depth else at


def statements(text: str) -> list[Tokens]:
    """Return the statements of `text` as their tokens: words in upper case, quoted names and constants as written."""
    return [tokens for tokens, _ in tokens_and_texts(text)]


def tokens_and_texts(text: str) -> list[tuple[Tokens, str]]:
    """Return the same, each with its own text."""
    return [([word(token) for token in found], _text(text, found)) for found in _cut(scan(text))]


def split(text: str, *, backslashes: bool = False) -> list[str]:
    """Return the texts of the statements in `text`; none where a string, a name or a comment has no end."""
    found = _cut(scan(text, backslashes=backslashes))
    if any(token.kind == "open" for statement in found for token in statement):
        return []
    return [_text(text, statement) for statement in found]


def _text(text: str, statement: Sequence[Token]) -> str:
    return text[statement[0].start : statement[-1].end]


def _cut(tokens: Iterator[Token]) -> list[list[Token]]:
    """Statements: a semicolon in parentheses (CREATE RULE), or in BEGIN ATOMIC ... END, ends none."""
    found: list[list[Token]] = [[]]
    parentheses = blocks = 0
    for token in tokens:
        text = word(token)
        if text == ";" and not parentheses and not blocks:
            found.append([])
            continue
        parentheses = max(parentheses + {"(": 1, ")": -1}.get(text, 0), 0)
        if text == "ATOMIC" and found[-1] and word(found[-1][-1]) == "BEGIN":
            blocks = 1
        elif blocks:
            blocks += {"CASE": 1, "END": -1}.get(text, 0)
        found[-1].append(token)
    return [statement for statement in found if statement]


def word(token: Token) -> str:
    """Return a token's text, a word's in upper case; letters outside ASCII stay, as on the server."""
    return token.text.upper() if token.kind == "word" and token.text.isascii() else token.text


def starts(tokens: Tokens, *words: str) -> bool:
    """Return whether a statement begins with these words."""
    return tuple(tokens[: len(words)]) == words


def after(tokens: Tokens, *words: str) -> Tokens:
    """Return what follows the first occurrence of these words outside brackets; nothing without one."""
    found = (index + len(words) for index, _ in _outside(tokens) if starts(tokens[index : index + len(words)], *words))
    return tokens[next(found, len(tokens)) :]


def until(tokens: Tokens, *ends: str) -> Tokens:
    """Return what precedes the first of the words `ends` outside brackets."""
    return tokens[: next((index for index, token in _outside(tokens) if token in ends), len(tokens))]


def bracketed(tokens: Tokens) -> Tokens:
    """Return what is inside the brackets that `tokens` begin with."""
    return tokens[1 : next((index for index, _ in _outside(tokens) if index), len(tokens)) - 1]


def parts(tokens: Tokens, separator: str) -> list[Tokens]:
    """Return the parts between the separators outside brackets, without those that are empty."""
    ends = [-1, *(index for index, token in _outside(tokens) if token == separator), len(tokens)]
    return [tokens[start + 1 : end] for start, end in pairwise(ends) if end > start + 1]


def _outside(tokens: Tokens) -> Iterator[tuple[int, str]]:
    """The tokens outside brackets, and each that opens one, with their indexes."""
    depth = 0
    for index, token in enumerate(tokens):
        if depth == 0:
            yield index, token
        depth = max(depth + {"(": 1, "[": 1, ")": -1, "]": -1}.get(token, 0), 0)


def name(tokens: Tokens) -> str:
    """Return the possibly qualified name that `tokens` begin with, folded as the server folds it."""
    parts = [fold(tokens[0])] if tokens else []
    index = 1
    while starts(tokens[index:], ".") and len(tokens) > index + 1:
        parts.append(fold(tokens[index + 1]))
        index += 2
    return ".".join(parts)


def fold(token: str) -> str:
    """Return an identifier as the catalogue stores it: in lower case, or what is between double quotes."""
    if token.endswith('"'):
        return token[token.index('"') + 1 : -1].replace('""', '"')
    return token.lower() if token.isascii() else token.translate(LOWER)


def constant(token: str) -> str:
    """Return the value of a string constant; of the escapes in E'...' only those of one character for itself."""
    if token.startswith("$") and token.endswith("$"):
        tag = token[: token.index("$", 1) + 1]
        return token[len(tag) : -len(tag)]
    prefix, _, text = token.partition("'")
    text = text[:-1].replace("''", "'")
    return ESCAPE.sub(r"\1", text) if prefix in ("e", "E") else text
