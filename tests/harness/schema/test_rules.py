"""Every schema rule on a real server: what breaks it is found, what keeps it is not.

The examples are in src/harness/schema/rules/examples, each for a schema `s`: `-- at:` names the objects to be found,
`-- since:` the first major that can hold it, `-- with:` the rule's options.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

import harness.schema.rules  # noqa: F401 - registers the rules
from harness.catalog import read_snapshot
from harness.examples import Example, examples_of
from harness.findings import Finding
from harness.rules import catalogue
from harness.schema.options import read_options
from harness.sql.quoting import needs_quotes

RULES = {rule.id: rule for rule in catalogue("schema", "catalogue") if rule.find.__module__.startswith("harness.")}
ALL = examples_of(*RULES)


@pytest.fixture(scope="module")
def session(harness_run: Any) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's session in a database with the extensions that the examples use, and a role without rights."""
    databases = harness_run.databases
    fresh = databases.create(migrated=False)
    with fresh.as_role("superuser").connect(autocommit=True) as connection:
        connection.execute("CREATE SCHEMA ext")
        for name in ("citext", "btree_gist", "btree_gin", "lo"):
            connection.execute(f"CREATE EXTENSION {name} SCHEMA ext")
        connection.execute("CREATE ROLE example_app")
        yield connection
        connection.execute("DROP OWNED BY example_app")
        connection.execute("DROP ROLE example_app")
    databases.drop(fresh)


@pytest.fixture
def example_schema(session: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """The session with an empty schema `s` first in its search_path; every schema of the example is dropped after."""
    session.execute("CREATE SCHEMA s; SET search_path = s, ext")
    yield session
    session.execute("DROP SCHEMA IF EXISTS s2 CASCADE")
    session.execute('DROP SCHEMA IF EXISTS "S Two" CASCADE')
    session.execute("DROP FOREIGN DATA WRAPPER IF EXISTS w CASCADE")
    if session.execute("SELECT to_regclass('s.t')").fetchone() != (None,) and _owned_by_extension(session):
        session.execute("ALTER EXTENSION citext DROP TABLE s.t")
    session.execute("DROP SCHEMA s CASCADE; RESET search_path; DISCARD TEMP")


def _owned_by_extension(session: psycopg.Connection[Any]) -> bool:
    """Whether the example has given its table to an extension, which cannot be dropped with it."""
    query = "SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = 's.t'::regclass AND deptype = 'e'"
    return session.execute(query).rowcount > 0


def since(example: Example) -> int:
    """The first major that can hold the example."""
    return int(example.fields.get("since", 14))


def found_in(session: psycopg.Connection[Any], example: Example) -> list[Finding]:
    """What the example's rule finds."""
    options = read_options(json.loads(example.fields.get("with", "{}")))
    return RULES[example.rule](read_snapshot(session), options)


def objects(session: psycopg.Connection[Any], example: Example) -> list[str]:
    """What the example's rule finds, in order of name."""
    return sorted(finding.object for finding in found_in(session, example))


@pytest.mark.parametrize(
    "example",
    [pytest.param(item, id=item.id, marks=pytest.mark.since(since(item))) for item in ALL],
)
def test_a_rule_finds_what_breaks_it_and_nothing_else(
    example: Example, example_schema: psycopg.Connection[Any]
) -> None:
    """In each example exactly the named objects are found, beyond what the empty database shows."""
    wanted = example.fields["at"].split(", ") if example.breaks else []
    before = objects(example_schema, example)
    example_schema.execute(example.code.encode())
    found = objects(example_schema, example)
    for known in before:
        if known in found and known not in wanted:
            found.remove(known)
    assert found == sorted(wanted)


def test_names_are_judged_as_the_server_quotes_them(session: psycopg.Connection[Any]) -> None:
    """The same answer as quote_ident() for every word of SQL, and for names of all kinds."""
    keywords = read_snapshot(session).keywords
    words = [row[0] for row in session.execute("SELECT word FROM pg_get_keywords()")]
    names = [
        *words,
        "plain",
        "_x1",
        "1x",
        "Mixed",
        "two words",
        "dollar$",
        "dash-ed",
        "naïve",
        'quo"ted',
        "a.b",
        "x" * 63,
    ]
    quoted = session.execute("SELECT n, quote_ident(n) <> n FROM unnest(%s::text[]) AS n", (names,)).fetchall()
    assert {name: needs_quotes(name, keywords) for name in names} == dict(quoted)
