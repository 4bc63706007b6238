"""SQL text is cut into the tokens that the server's own lexer makes of it."""

from __future__ import annotations

import pytest

from harness.databases.databases import Database
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


@pytest.mark.parametrize("listed", ALIKE.values(), ids=ALIKE)
def test_tokens_joined_by_blanks_say_the_same(database: Database, listed: str) -> None:
    """Each token is whole, and none is two: the server gives the same values for both texts."""
    _same(database, f"SELECT {listed}", backslashes=False)


@pytest.mark.parametrize("listed", [r"'\'', 'a\\', 'b''\'', e'\''", "'a'\n'\\''", "b'1', $$\\$$"])
def test_with_standard_conforming_strings_off_a_backslash_escapes(database: Database, listed: str) -> None:
    """The text is cut as that server cuts it."""
    _same(database, f"SELECT {listed}", backslashes=True)


def _same(database: Database, text: str, *, backslashes: bool) -> None:
    apart = " ".join(token.text for token in scan(text, backslashes=backslashes))
    with database.connect() as connection:
        if backslashes:
            connection.execute("SET standard_conforming_strings = off; SET escape_string_warning = off")
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
