"""The fix of a schema finding passes the migrations suite when pasted into a revision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import harness.schema.rules  # noqa: F401 - registers the rules
from harness.catalog import read_snapshot
from harness.databases.databases import Database
from harness.findings import Finding
from harness.migrations.judge import Judge
from harness.migrations.tracing.scratch_databases import ScratchDatabases
from harness.migrations.verdict import file_findings
from harness.postgres.server import Cluster
from harness.schema.options import Options, findings
from tests.harness.migrations.workbench import Example, scratch_on, write_history

ROOT = Path(__file__).parents[3]
TABLES = """
CREATE TABLE todos (id bigint PRIMARY KEY, title text NOT NULL, words text[] NOT NULL);
CREATE TABLE comments (
  id bigint PRIMARY KEY, todo_id bigint NOT NULL CONSTRAINT comments_todo_id_fkey REFERENCES todos
);
CREATE INDEX ix_title ON todos (title);
CREATE INDEX ix_title_again ON todos (title);
CREATE INDEX ix_words ON todos (words);
"""
NEAR = """
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE todos (
  id bigint PRIMARY KEY, owner_id bigint NOT NULL CONSTRAINT fk_todos_owner_id_users REFERENCES users, done boolean
);
CREATE INDEX ix_todos_done_owner_id ON todos (done, owner_id);
"""
REFERENCE = "foreign-key-without-index"
BACK = {
    REFERENCE: """
        with op.get_context().autocommit_block():
            op.execute("SET lock_timeout = 0")
            op.drop_index("ix_comments_todo_id", "comments", if_exists=True, postgresql_concurrently=True)
        """,
    "index-duplicate": """
        with op.get_context().autocommit_block():
            op.execute("SET lock_timeout = 0")
            op.drop_index("ix_title_again", "todos", if_exists=True, postgresql_concurrently=True)
            op.create_index("ix_title_again", "todos", ["title"], postgresql_concurrently=True)
        """,
    "index-wrong-method": """
        with op.get_context().autocommit_block():
            op.execute("SET lock_timeout = 0")
            op.drop_index("ix_words", "todos", if_exists=True, postgresql_concurrently=True)
            op.create_index("ix_words", "todos", ["words"], postgresql_concurrently=True)
        """,
}
"""By rule, how the revision with its fix is taken back."""


@pytest.fixture(scope="module")
def scratch(cluster: Cluster) -> Iterator[ScratchDatabases]:
    """Databases of these tests' own, where the superuser runs the revisions."""
    with scratch_on(cluster, "pasted") as made:
        yield made


def found(database: Database, rule: str) -> Finding:
    """The rule's one finding on the tables."""
    with database.connect(autocommit=True) as connection:
        connection.execute(TABLES)
        [finding] = [item for item in findings(read_snapshot(connection), Options()) if item.rule.id == rule]
    return finding


def pasted(fix: str) -> str:
    """The lines below the first `migration`, as in upgrade()."""
    below = fix.splitlines()[1:]
    lines = below[: next(number for number, line in enumerate(below) if not line.startswith("    "))]
    return dedent("\n".join(lines))


@pytest.mark.slow
@pytest.mark.parametrize("rule", BACK)
def test_the_migration_of_a_fix_stops_nobody(
    rule: str, empty_database: Database, scratch: ScratchDatabases, tmp_path: Path
) -> None:
    """On tables with rows it blocks no writer, can be rerun after an interruption, and fixes what was found."""
    fix = pasted(found(empty_database, rule).fix)
    tables = Example(" ".join(TABLES.split()), "DROP TABLE comments, todos", seed="{}")
    history = write_history(tmp_path / "project", tables, Example(fix, BACK[rule], seed="{}"))
    judge = Judge(history, lambda: scratch, rows=10, schema_rules=lambda now: findings(now, Options()))
    judged = [judge.judge(script) for script in history.revisions][1]
    read = file_findings(history.root / "versions" / "0002.py", "shop", offline=False)
    assert [str(item) for item in (*judged.findings, *read) if item.severity != "info"] == []


SERIAL = """
CREATE TABLE account (
  id serial PRIMARY KEY, email text NOT NULL UNIQUE, at timestamptz NOT NULL DEFAULT '2020-01-01', done boolean,
  born timestamp, tags text[] NOT NULL
)
"""


def test_the_model_of_a_fix_is_no_annotation_but_an_argument(empty_database: Database) -> None:
    """Pasted into the column that is there it leaves the other arguments, and SQLAlchemy takes it."""
    with empty_database.connect(autocommit=True) as connection:
        connection.execute(SERIAL)
        found = {item.rule.id: item.fix for item in findings(read_snapshot(connection), Options())}
    models = {rule: fix.partition("model: ")[2] for rule, fix in found.items()}
    assert {rule: line for rule, line in models.items() if re.match(r"\w+: (?!Mapped\[)", line)} == {}
    arguments = {rule: line.partition(" in the mapped_column() of ") for rule, line in models.items()}
    changed = {rule: (code, name) for rule, (code, there, name) in arguments.items() if there}
    assert changed.keys() >= {
        "column-should-be-citext",
        "default-frozen-timestamp",
        "column-timestamp-without-time-zone",
    }
    for code, name in changed.values():
        body = f"{name}: Mapped[Any] = mapped_column({code.removeprefix('Mapped[bool], and ')}, unique=True)"
        known = {**vars(sa), "sa": sa, "postgresql": postgresql, "Mapped": Mapped, "mapped_column": mapped_column}
        key = "" if name == "id" else "    key: Mapped[int] = mapped_column(primary_key=True)\n"
        primary = body.replace("unique", "primary_key") if name == "id" else body
        known |= {"Any": int, "Base": type("Base", (DeclarativeBase,), {})}
        model = f"class Account(Base):\n    __tablename__ = 'account'\n{key}    {primary}\n"
        exec(compile(model, "model", "exec", dont_inherit=True), known)
    assert "migration that creates the table: postgresql.CITEXT()" in found["column-should-be-citext"]


def test_the_page_of_rules_shows_what_is_printed(empty_database: Database) -> None:
    """The example of docs/schema.md is the finding as it is today."""
    with empty_database.connect(autocommit=True) as connection:
        connection.execute(NEAR)
        [finding] = [item for item in findings(read_snapshot(connection), Options()) if item.rule.id == REFERENCE]
    shown = f"```\n{finding}\n```"
    assert shown in (ROOT / "docs" / "schema.md").read_text(encoding="utf-8")
