"""A fix finds its objects, whatever they and their schema are called: it is pasted, run, and the finding is gone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.dialects import postgresql

from harness.examples import Example
from harness.findings import Finding
from harness.postgres.server import start_cluster
from tests.harness.majors import MAJORS
from tests.harness.schema.renaming import Rename, mixed, rename, reserved
from tests.harness.schema.test_rules import ALL, found_in, since

SKETCHES = {
    "column-repeating-group", "table-without-comment", "column-without-comment", "table-isolated",
    "primary-key-not-first", "eav", "lookup-needless", "mandatory-columns", "timestamps-missing", "constraint-naming",
    "too-many-indexes", "name-truncated", "owned-by-superuser", "app-role-can-ddl",
    "rls-without-policy", "rls-policy-always-true", "table-split-one-to-one", "polymorphic-reference",
}  # fmt: skip
"""Rules whose fix leaves something to a person, at `...`."""

FIRST_STEPS = {"natural-key"}
"""Rules whose fix is the first of several steps."""

EXAMPLES = [example for example in ALL if example.breaks and not example.rule.startswith(("extension-", "name-needs"))]
SINCE = {"primary-key-uuid-random": 18, "constraint-not-enforced": 18}
"""The first major on which a fix is complete, or its rule can find anything."""

KEPT = ((), ("column",), ("relation",), ("column", "relation"))
"""Kinds of objects that keep their names, tried until the rule finds what it found."""


@dataclass
class Bench:
    """A database to make examples in, with the extensions that they use."""

    session: psycopg.Connection[Any]
    engine: sa.Engine

    def set_up(self, example: Example, name: Rename, kept: tuple[str, ...]) -> list[Finding]:
        """Make an example, rename its objects and return what its rule finds then."""
        query = "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^(pg_|public|information_schema|ext)'"
        for (schema,) in self.session.execute(query).fetchall():
            self.session.execute(f"DROP SCHEMA {schema} CASCADE".encode())
        known = {item.object for item in self.find(example)}
        self.session.execute(f"CREATE SCHEMA s; SET search_path = s, ext; {example.code}".encode())
        rename(self.session, name, kept)
        return [item for item in self.find(example) if item.object not in known]

    def find(self, example: Example) -> list[Finding]:
        """Return what the example's rule finds."""
        return found_in(self.session, example)

    def paste(self, code: str) -> None:
        """Run code as the body of a revision's upgrade()."""
        with self.engine.connect() as connection:
            context = MigrationContext.configure(connection)
            with context.begin_transaction(), Operations.context(context) as op:
                exec(code, {"op": op, "sa": sa, "postgresql": postgresql})  # it is what is tested


@pytest.fixture(scope="module", params=MAJORS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A database on a server of each major; its sessions find extensions, and no example."""
    cluster = start_cluster(request.param)
    with contextlib.closing(cluster), cluster.address.connect("postgres", autocommit=True) as session:
        session.execute("CREATE SCHEMA ext; CREATE ROLE example_app")
        for name in ("citext", "btree_gist", "btree_gin", "lo"):
            session.execute(f"CREATE EXTENSION {name} SCHEMA ext".encode())
        engine = sa.create_engine(
            cluster.address.url("postgres"), connect_args={"options": "-c search_path=public,ext"}
        )
        yield Bench(session, engine)
        engine.dispose()


@pytest.mark.parametrize("name", [lambda: mixed, reserved], ids=["mixed case", "words of SQL"])
@pytest.mark.parametrize("rule", {example.rule: None for example in EXAMPLES})
def test_a_pasted_fix_repairs_objects_of_any_name(rule: str, name: Callable[[], Rename], bench: Bench) -> None:
    """Table, column, constraint, index, type, function and schema need quotes; a rule that reads names keeps some."""
    ran, major = 0, bench.session.info.server_version // 10000
    for example in EXAMPLES:
        if example.rule == rule and major >= since(example):
            found = next(filter(None, (bench.set_up(example, name(), kept) for kept in KEPT)), [])
            for finding in found:
                code = migration(finding.fix)
                if code and "..." not in code:
                    bench.paste(code)
                    ran += 1
                    gone = finding.object not in {item.object for item in bench.find(example)}
                    assert gone or rule in FIRST_STEPS, f"{finding}\nis left after\n{code}"
    assert (ran == 0) == (rule in SKETCHES or major < SINCE.get(rule, 0))


def migration(fix: str) -> str:
    """The migration's side of a fix."""
    below = fix.partition("\nmodel: ")[0].partition("\nmigration that creates")[0]
    return dedent(below.partition(":")[2]).strip()
