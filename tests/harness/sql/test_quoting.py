"""Names and constants are quoted as the server quotes them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from harness.postgres.server import start_cluster
from harness.sql.quoting import KEYWORDS, identifier, literal, needs_quotes
from tests.harness.majors import MAJORS

NAMES = [
    "plain",
    "_x1",
    "1x",
    "Mixed Case",
    "dollar$",
    "dash-ed",
    "naïve",
    'quo"ted',
    "a.b",
    "order",
    "value",
    "x" * 63,
]
TEXTS = ["", "plain", "it's", "\\", "\\'", "a\\nb", '"', ":name", "%s", "é\n"]


@pytest.fixture(scope="module", params=MAJORS)
def session(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[Any]]:
    """A session on a server of each major."""
    cluster = start_cluster(request.param)
    with contextlib.closing(cluster), cluster.address.connect("postgres") as connection:
        yield connection


def test_the_words_are_those_of_the_newest_server(session: psycopg.Connection[Any]) -> None:
    """An older server has a part of them, so each of its words is quoted too."""
    query = "SELECT word FROM pg_get_keywords() WHERE catcode <> 'U'"
    words = {word for (word,) in session.execute(query).fetchall()}
    assert words == KEYWORDS if session.info.server_version >= 180000 else words < KEYWORDS


def test_a_name_is_what_it_was_when_the_server_reads_it(session: psycopg.Connection[Any]) -> None:
    """As a schema, a table and a column, and it has quotes where quote_ident() gives them."""
    for name in [*NAMES, *sorted(KEYWORDS)]:
        statement = f"CREATE SCHEMA {identifier(name)} CREATE TABLE {identifier(name)} ({identifier(name)} int)"
        session.execute(statement.encode())
        found = session.execute(f"SELECT * FROM {identifier(name, name)}".encode()).description
        assert found
        assert found[0].name == name
        session.rollback()
    assert [session.execute("SELECT quote_ident(%s)", [name]).fetchone() for name in NAMES] == [
        (identifier(name),) for name in NAMES
    ]
    assert not needs_quotes("value")


@pytest.mark.parametrize("setting", ["on", "off"])
def test_a_constant_is_what_it_was_when_the_server_reads_it(session: psycopg.Connection[Any], setting: str) -> None:
    """Whether or not a backslash escapes there."""
    session.execute(f"SET LOCAL standard_conforming_strings = {setting}".encode())
    listed = ", ".join(map(literal, TEXTS))
    assert session.execute(f"SELECT {listed}, {literal(None)}".encode()).fetchone() == (*TEXTS, None)
    session.rollback()
