"""Every schema rule on a real server: what breaks it is found, what keeps it is not.

The examples stand in examples/*.sql, each in a schema `s` of its own: `-- breaks RULE: trap` or `-- keeps RULE: trap`,
then `-- at:` the objects to be found, `-- since:` the first major that can hold it, `-- with:` the rule's options.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

import harness.schema.rules  # noqa: F401 - registers the rules
from harness.catalog import read_snapshot
from harness.rules import catalogue
from harness.schema.options import Options, read_options
from harness.sql.quoting import needs_quotes

EXAMPLES = Path(__file__).parent / "examples"
RULES = {rule.id: rule for rule in catalogue("schema", "catalogue") if rule.find.__module__.startswith("harness.")}
HEAD = re.compile(r"^-- (breaks|keeps) ([a-z0-9-]+): (.+)$")


@dataclass
class Example:
    """One piece of SQL, and what a rule must find in it."""

    breaks: bool
    rule: str
    trap: str
    at: list[str] = field(default_factory=list)
    since: int = 14
    options: Options = field(default_factory=Options)
    sql: str = ""

    @property
    def id(self) -> str:
        """What the report of a test calls it."""
        return f"{'breaks' if self.breaks else 'keeps'} {self.rule}: {self.trap}".replace("[", "(").replace("]", ")")


def read_examples() -> list[Example]:
    """All examples, in order of file."""
    found: list[Example] = []
    for path in sorted(EXAMPLES.glob("*.sql")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if head := HEAD.match(line):
                found.append(Example(head[1] == "breaks", head[2], head[3]))
            elif line.startswith("-- at: "):
                found[-1].at = line.removeprefix("-- at: ").split(", ")
            elif line.startswith("-- since: "):
                found[-1].since = int(line.removeprefix("-- since: "))
            elif line.startswith("-- with: "):
                found[-1].options = read_options(json.loads(line.removeprefix("-- with: ")))
            else:
                found[-1].sql += line + "\n"
    return found


ALL = read_examples()


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


def objects(session: psycopg.Connection[Any], example: Example) -> list[str]:
    """What the example's rule finds, in order of name."""
    return sorted(finding.object for finding in RULES[example.rule](read_snapshot(session), example.options))


@pytest.mark.parametrize(
    "example", [pytest.param(item, id=item.id, marks=pytest.mark.since(item.since)) for item in ALL]
)
def test_a_rule_finds_what_breaks_it_and_nothing_else(
    example: Example, example_schema: psycopg.Connection[Any]
) -> None:
    """In each example exactly the named objects are found, beyond what the empty database shows."""
    before = objects(example_schema, example)
    example_schema.execute(example.sql.encode())
    found = objects(example_schema, example)
    for known in before:
        if known in found and known not in example.at:
            found.remove(known)
    assert found == sorted(example.at)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_an_example_that_breaks_it_and_one_that_keeps_it(rule: str) -> None:
    """A rule without a violating and a clean example is not finished."""
    kinds = {example.breaks for example in ALL if example.rule == rule}
    assert kinds == {True, False}, f"examples/*.sql lacks '-- {'keeps' if True in kinds else 'breaks'} {rule}: ...'"


def test_every_example_is_of_a_rule_that_exists() -> None:
    """No example is left behind by a rule that is gone, and one that breaks names what is found."""
    assert {example.rule for example in ALL} <= RULES.keys()
    assert all(bool(example.at) == example.breaks for example in ALL)
    assert len({example.id for example in ALL}) == len(ALL)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_says_why_and_how_to_mend_it(rule: Any) -> None:
    """Title, why and cure are written for someone who meets the rule for the first time."""
    assert len(rule.rule.title) > 10
    assert len(rule.rule.why) > 40
    assert len(rule.rule.fix) > 2


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
