"""SQL text is split into the tokens of the server's lexer."""

from __future__ import annotations

import contextlib

import psycopg
import pytest

from harness.sql.lexer import constant, fold, scan, split, statements

ALIKE = {
    "an operator before a comment": "1<--'\n2",
    "an operator before a comment that nests": "8/4*/* /* ) */ ' */2",
    "an operator that ends in a sign": "2*-1, 3<>-3, 5=-5, +-1",
    "a comment at the end": "1 -- '",
    "an empty comment": "1 /**/ + 2 /***/ + 3",
    "quotes in a string": "'it''s', 'a\\', E'\\'', e'\\\\', E'a\\\\''b', n'x'",
    "a string on several lines": "'a' \n 'b', E'\\''\n'\\'', 'c' AS d",
    "Unicode": 'U&\'\\0041\', U&"d\\0061t" FROM (VALUES (1)) v (dat)',
    "dollar quotes": "$$'$a$$, $a1$$a$ $1 $a1$, $é_1$ $é$ $é_1$, $_$--$_$",
    "dollars in a name": "a$b$ FROM (SELECT 1 AS a$b$) a$b$",
    "bits": "b'101', X'1F', B'1'",
    "numbers": "1.5e3, .5, 5., 1e-2, 1.5E+1, 2e1",
    "types": "1::int, '{1,2}'::int[], 'x'::varchar(3), (ARRAY[1,2])[1:2]",
    "names in quotes": '"a""b", "c/*d" FROM (SELECT 1 AS "a""b", 2 AS "c/*d") x',
    "letters that are not folded": "É, \"É\" FROM (SELECT 1 AS É) x",
}  # fmt: skip
"""Lists of SELECT."""

STRINGS = {
    "plain": "SELECT 1; SELECT 2",
    "semicolons in literals": r"""SELECT ';', E'\';', U&'\003b;', "a;b" FROM (SELECT 1 AS "a;b") x; SELECT 2""",
    "dollar quotes": "SELECT $$;$$, $a$;$$;$a$, $é_1$;$é_1$; DO $x$ BEGIN PERFORM 1; END $x$; SELECT 3",
    "comments": "SELECT 1 /* ; /* ; */ ; */; -- ; SELECT\n SELECT 2; /* ' */ SELECT 3 -- '",
    "nothing between": ";; SELECT 1;; ; SELECT 2; --",
    "dollars in names": "CREATE TEMP TABLE a$b$ (c$b$ int); SELECT c$b$ FROM a$b$; SELECT 1",
    "a body of SQL": (
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT f()"
    ),
    "a rule": "CREATE TABLE r (i int); CREATE RULE x AS ON INSERT TO r DO ALSO (SELECT 1; SELECT (2)); SELECT 1",
    "names that are words": "CREATE TEMP TABLE atomic (begin int, atomic int); TABLE atomic; SELECT 1",
}
"""Statements in one string."""


@pytest.mark.parametrize("text", STRINGS.values(), ids=STRINGS)
def test_a_string_is_split_where_the_server_splits_it(connection: psycopg.Connection, text: str) -> None:
    """As many parts as the server gives results, and each part runs by itself."""
    cursor = connection.execute(text.encode())
    results = 1
    while cursor.nextset():
        results += 1
    connection.rollback()
    assert len(split(text)) == results
    for part in split(text):
        connection.execute(part.encode())


@pytest.mark.parametrize("listed", ALIKE.values(), ids=ALIKE)
def test_tokens_joined_by_blanks_have_the_same_meaning(connection: psycopg.Connection, listed: str) -> None:
    """The server gives the same values for both texts, so each token is one token."""
    _assert_same(connection, f"SELECT {listed}", backslashes=False)


@pytest.mark.parametrize("listed", [r"'\'', 'a\\', 'b''\'', e'\''", "'a'\n'\\''", "b'1', $$\\$$"])
def test_with_standard_conforming_strings_off_a_backslash_escapes(connection: psycopg.Connection, listed: str) -> None:
    """As on a server with that setting; 19 has only the other."""
    refused = connection.info.server_version >= 190000
    with pytest.raises(psycopg.Error) if refused else contextlib.nullcontext():
        connection.execute("SET standard_conforming_strings = off; SET escape_string_warning = off")
        _assert_same(connection, f"SELECT {listed}", backslashes=True)


def _assert_same(connection: psycopg.Connection, text: str, *, backslashes: bool) -> None:
    apart = " ".join(token.text for token in scan(text, backslashes=backslashes))
    assert connection.execute(apart.encode()).fetchall() == connection.execute(text.encode()).fetchall()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a<=b->>'c'", ["A", "<=", "B", "->>", "'c'"]),
        ("a=-1", ["A", "=", "-", "1"]),
        ("a@-1", ["A", "@-", "1"]),
        ("a*/*b*/c", ["A", "*", "C"]),
        ("FOR i IN 1..10", ["FOR", "I", "IN", "1", "..", "10"]),
        ("x::int = $1$2", ["X", "::", "INT", "=", "$1", "$2"]),
        ("0xFf, 1_000, 0b1", ["0xFf", ",", "1_000", ",", "0b1"]),
        ('{schema}."T" = {value}x', ["{schema}", ".", '"T"', "=", "{value}x"]),
        ("a--", ["A"]),
        ("a--\r1", ["A", "1"]),
        ("/* /* */ */", []),
    ],
)
def test_an_operator_a_number_and_a_hole_are_one_token(text: str, tokens: list[str]) -> None:
    """Words are in upper case; a statement of comments alone is none."""
    assert [*statements(text)] == ([tokens] if tokens else [])


@pytest.mark.parametrize(
    "text",
    ["'a", "E'\\'", "E'\\\\''", "U&'a", 'a "b', "$x$ $y$", "$é$é", "/* /* */", "b'1", "'a' \n '"],
)
def test_what_has_no_end_is_one_token_to_the_end(text: str) -> None:
    """The server would refuse the whole string, so it is not split either."""
    assert [token.kind for token in scan(text)][-1] == "open"
    assert split(f"SELECT 1; SELECT {text}") == []


@pytest.mark.parametrize("text", ["'" * 3001, "/*" * 3000, '"' * 3001, "'a'\n" * 3000, "$a" * 3000, "<" * 3000 + "-"])
def test_a_long_text_is_cut_in_one_pass(text: str) -> None:
    """Whatever a text repeats, its tokens together are the text."""
    assert sum(len(token.text) for token in scan(text)) >= len(text.strip()) - text.count("\n")


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("'it''s'", "it's"),
        (r"E'\'\\n'", r"'\n"),
        (r"'\n'", r"\n"),
        ("$$a$$", "a"),
        ("$x$ $$ $x$", " $$ "),
        ("$1", ""),
    ],
)
def test_a_constant_has_a_value(token: str, value: str) -> None:
    """Quotes are taken off, doubled quotes and backslashes once."""
    assert constant(token) == value


def test_only_ascii_letters_of_a_name_are_folded() -> None:
    """So the catalogue has a name, also where lower() would know better."""
    assert [fold(token) for token in ("Ab", '"Ab"', '"a""b"', 'U&"a"', "ÉA")] == ["ab", "Ab", 'a"b', "a", "Éa"]
