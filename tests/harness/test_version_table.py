"""Alembic's own table is not part of the schema, whatever env.py calls it and wherever it is."""

from __future__ import annotations

import pytest

from harness.catalog import read_snapshot
from harness.databases.databases import Database
from harness.seed import fill
from tests.harness.projects import ENV, write_files, write_revision

MADE = "(version_num varchar(32) NOT NULL, CONSTRAINT schema_history_pkc PRIMARY KEY (version_num))"

QUOTED = '"Schema History_pkc"'

TESTS = """
import alembic.command
import pytest
from alembic.script import ScriptDirectory

from harness.catalog import read_snapshot
from harness.schema.drift.drift import declared, schema_drift
from harness.migrations.model_drift import model_drift
from harness.seed import fill
from shop.app import metadata


def version(connection):
    return connection.execute("SELECT version_num FROM ops.schema_history").fetchall()


def test_nothing_is_judged(catalog, migration_schema_rules):
    assert [table.qualified for table in catalog.tables] == ["public.item"]
    assert {schema.name for schema in catalog.schemas} == {"public"}
    found = migration_schema_rules(catalog)
    assert [item for item in found if "ops" in item.object or "history" in item.object] == []


def test_no_difference(catalog, empty_database):
    models = declared(metadata, empty_database.engine)
    found = [str(item) for item in schema_drift(metadata, models, catalog)]
    assert not [item for item in found if "ops" in item or "schema_history" in item], found


def test_autogenerate(alembic_config, database):
    alembic_config.attributes["metadata"] = metadata
    found = [breach.fix for breach in model_drift(database.engine, alembic_config)]
    assert not [fix for fix in found if "op.drop_table(" in fix]


@pytest.mark.parametrize("number", range(3))
def test_a_reset_keeps_the_version(connection, number):
    assert version(connection) == [("0002",)]
    connection.commit()
    assert fill(connection, 3) == {"public.item": 3}
    connection.execute("UPDATE ops.schema_history SET version_num = 'x'" if number == 1 else "SELECT 1")
    connection.commit()
    assert version(connection) == [("x" if number == 1 else "0002",)]
"""

JUDGED = """
def test_a_revision_does_no_harm(judge_revision):
    judge_revision()
"""


@pytest.mark.slow
def test_a_version_table_of_env_py_is_nobodys_table(project: pytest.Pytester) -> None:
    """In its own schema: no rule, no drift, no row from the seeder, and resets leave the revision as it is."""
    options = 'version_table="schema_history", version_table_schema="ops")'
    make = 'connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS ops")\n    connection.commit()\n    '
    env = ENV.replace("target_metadata=metadata)", f"target_metadata=metadata, {options}")
    env = env.replace("with context.begin", f"{make}with context.begin")
    assert options in env
    write_files(project.path, {"migrations/env.py": env})
    write_revision(
        project.path / "migrations" / "versions",
        "0002",
        "0001",
        "COMMENT ON TABLE item IS 'what is sold'",
        "COMMENT ON TABLE item IS NULL",
    )
    project.makepyfile(**{"tests/test_it": TESTS, "tests/migrations/test_hazards": JUDGED})
    project.runpytest_subprocess("-q").assert_outcomes(passed=8)


@pytest.mark.parametrize(
    "statement",
    [
        f"CREATE TABLE ops.schema_history {MADE}",
        f"CREATE TABLE ops.schema_history {MADE.replace('(32)', '(255)')}",
        f'CREATE TABLE ops."Schema History" {MADE.replace("schema_history_pkc", QUOTED)}',
        "CREATE TABLE ops.v (version_num varchar(32) NOT NULL)",
    ],
    ids=["as it is made", "longer ids", "a quoted name", "version_table_pk=False"],
)
def test_it_is_recognised_by_what_alembic_makes(empty_database: Database, statement: str) -> None:
    """Its only column, and the name of its key; its schema too is then nobody's."""
    with empty_database.connect(autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA ops; {statement}".encode())
        snapshot = read_snapshot(connection)
        assert [table.qualified for table in snapshot.tables] == []
        assert [schema.name for schema in snapshot.schemas] == ["public"]
        assert fill(connection, 3) == {}


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE ops.a (version_num varchar(32) NOT NULL, name text)",
        "CREATE TABLE ops.a (version_num varchar(32) PRIMARY KEY)",
        "CREATE TABLE ops.a (version_num varchar(32))",
        "CREATE TABLE ops.a (version_num bigint NOT NULL)",
        "CREATE TABLE ops.a (version_num varchar(32) NOT NULL UNIQUE)",
        "CREATE TABLE ops.a (version varchar(32) NOT NULL)",
    ],
)
def test_a_table_of_the_project_is_not_taken_for_it(empty_database: Database, statement: str) -> None:
    """With another column, key, type or constraint it is judged like any other, and so is its schema."""
    with empty_database.connect(autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA ops; CREATE TABLE ops.schema_history {MADE}; {statement}".encode())
        snapshot = read_snapshot(connection)
        assert [table.qualified for table in snapshot.tables] == ["ops.a"]
        assert [schema.name for schema in snapshot.schemas] == ["ops", "public"]
