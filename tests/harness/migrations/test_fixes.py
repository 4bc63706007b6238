"""A fix matches the cause and the names of its finding, and is safe when pasted."""

from __future__ import annotations

from typing import Any

import pytest
from alembic import op

from harness.findings import Finding
from harness.sql.operations import execute
from tests.harness.migrations.bodies import DROP_ADDED, NOT_NULL_BACK
from tests.harness.migrations.workbench import Example, Workbench

pytestmark = pytest.mark.slow

HELPERS = ("add_not_null",)


@pytest.fixture(autouse=True)
def no_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has given `op` an operation of the template's."""
    for name in HELPERS:
        monkeypatch.delattr(op, name, raising=False)


def finding(workbench: Workbench, rule: str, upgrade: str, downgrade: str = "", **given: Any) -> Finding:
    """The one finding of a rule."""
    seen, found = workbench.see(Example(upgrade, downgrade, **given))
    named = [item for item in found if item.rule.id == rule]
    assert len(named) == 1, (seen.trace.error, found)
    return named[0]


@pytest.mark.parametrize(
    ("rule", "upgrade", "downgrade"),
    [
        ("index-build-blocking", 'op.create_index("i", "account", ["age", "name"])', "DROP INDEX i"),
        ("index-build-blocking", "CREATE INDEX i ON account (lower(email)) WHERE age > 3", "DROP INDEX i"),
        ("index-build-blocking", 'CREATE INDEX "Of Age" ON account (age DESC)', 'DROP INDEX "Of Age"'),
        (
            "unique-build-blocking",
            'op.create_unique_constraint("u", "orders", ["id", "total"])',
            "ALTER TABLE orders DROP CONSTRAINT u",
        ),
        (
            "check-scan-blocking",
            "ALTER TABLE account ADD CONSTRAINT c CHECK (id > -5)",
            "ALTER TABLE account DROP CONSTRAINT c",
        ),
        (
            "fk-scan-blocking",
            "ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES account",
            "ALTER TABLE orders DROP CONSTRAINT f",
        ),
    ],
)
def test_a_pasted_fix_is_clean(workbench: Workbench, rule: str, upgrade: str, downgrade: str) -> None:
    """It does the same, and no rule finds anything in it, but for odd rows that production may not have."""
    fix = finding(workbench, rule, upgrade, downgrade).fix
    assert "..." not in fix
    seen, found = workbench.see(Example(fix, downgrade))
    left = [str(item) for item in found if item.severity != "info" and item.rule.id != "fails-on-existing-data"]
    assert left == [], (fix, seen.trace.error)
    before, _ = workbench.see(Example(upgrade, downgrade))
    tables = [[(item.indexes, item.constraints) for item in one.after.tables] for one in (before, seen)]
    assert [[(i.name, i.definition) for i in indexes] for indexes, _ in tables[0]] == [
        [(i.name, i.definition) for i in indexes] for indexes, _ in tables[1]
    ]


def test_the_fix_of_a_not_null_names_the_column(workbench: Workbench) -> None:
    """The fix names table and column, and reads nothing under the exclusive lock."""
    upgrade = "ALTER TABLE account ALTER COLUMN age SET DEFAULT 0\nALTER TABLE account ALTER COLUMN age SET NOT NULL"
    fix = finding(workbench, "not-null-scan-blocking", upgrade, NOT_NULL_BACK).fix
    assert "CHECK (age IS NOT NULL) NOT VALID" in fix
    _, found = workbench.see(Example("ALTER TABLE account ALTER COLUMN age SET DEFAULT 0\n" + fix, NOT_NULL_BACK))
    assert not [item for item in found if item.rule.id in ("not-null-scan-blocking", "partial-apply")]


@pytest.mark.parametrize(
    ("rule", "upgrade", "fix"),
    [
        (
            "not-null-scan-blocking",
            "ALTER TABLE account ALTER COLUMN age SET NOT NULL",
            'op.add_not_null("account", "age")',
        ),
    ],
)
def test_what_the_project_has_for_it_is_named(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch, rule: str, upgrade: str, fix: str
) -> None:
    """Where env.py has given Alembic a safe operation, the fix is one line."""
    for name in HELPERS:
        monkeypatch.setattr(op, name, None, raising=False)
    assert finding(workbench, rule, upgrade).fix == fix


def test_an_index_that_a_change_of_type_rebuilds_is_avoided_by_a_second_column(workbench: Workbench) -> None:
    """The fix is pasted and clean: to rebuild the index again CONCURRENTLY would not change the type."""
    upgrade = "ALTER TABLE account ALTER COLUMN seen TYPE timestamptz"
    back = "ALTER TABLE account ALTER COLUMN seen TYPE timestamp"
    fix = finding(workbench, "index-rebuild-blocking", upgrade, back).fix
    assert "ADD COLUMN seen_next timestamp with time zone" in fix
    assert "REINDEX" not in fix
    _, found = workbench.see(Example(fix, "ALTER TABLE account DROP COLUMN seen_next"))
    assert not [item for item in found if item.rule.id in ("index-rebuild-blocking", "table-rewrite")]


@pytest.mark.parametrize(
    ("upgrade", "said"),
    [
        ('with op.get_context().autocommit_block():\n    op.execute("VACUUM FULL account")', "pg_repack"),
        ("ALTER TABLE event_2027 SET UNLOGGED", "leave it out"),
        (
            "ALTER TABLE account ADD COLUMN k uuid NOT NULL DEFAULT gen_random_uuid()",
            'op.execute("ALTER TABLE public.account ALTER COLUMN k SET DEFAULT gen_random_uuid()")',
        ),
        ("ALTER TABLE account ADD COLUMN twice int GENERATED ALWAYS AS (age / 2) STORED", "trigger"),
        (
            "ALTER TABLE account ALTER COLUMN age TYPE bigint",
            'op.execute("ALTER TABLE public.account ADD COLUMN age_next bigint")',
        ),
    ],
)
def test_a_rewrite_is_avoided_by_its_cause(workbench: Workbench, upgrade: str, said: str) -> None:
    """VACUUM FULL, a default for each row and another type have nothing in common but the new file."""
    assert said in finding(workbench, "table-rewrite", upgrade).fix


def test_a_default_for_each_row_can_be_added_as_the_fix_says(workbench: Workbench) -> None:
    """A serial column too: its sequence is made first."""
    fix = finding(workbench, "table-rewrite", "ALTER TABLE account ADD COLUMN nick serial", DROP_ADDED).fix
    _, found = workbench.see(Example(fix, DROP_ADDED + "\nDROP SEQUENCE account_nick_seq"))
    assert [str(item) for item in found if item.severity != "info"] == []


@pytest.mark.parametrize(
    ("upgrade", "said"),
    [
        ('op.add_colum("account", None)', 'line 10: op.add_colum("account", None)'),
        ('op.add_colum("account", None)', "op.add_column"),
        ("ALTER TABLE account ADD COLUM (", "line 10: op.execute"),
        ("ALTER TABLE account ADD COLUM (", "correct the SQL"),
        ("ALTER TABLE nobody ADD COLUMN a int", "a revision below"),
        ("CREATE TABLE account (id bigint)", "there already"),
        ('raise RuntimeError("not today")', 'line 10: raise RuntimeError("not today")'),
    ],
)
def test_a_failed_revision_names_its_line_and_a_remedy(workbench: Workbench, upgrade: str, said: str) -> None:
    """File, line and its text, and a remedy for that kind of error."""
    found = str(finding(workbench, "revision-fails", upgrade))
    assert said in found
    assert "0001.py" in found


SHOP = """
CREATE SCHEMA {schema};
CREATE TABLE {table} (
  "primary" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "Mixed Case" int, "user" text
);
CREATE INDEX "Ix ""1"" x" ON {table} ("user");
CREATE INDEX several ON {table} ("Mixed Case", "user", "primary");
CREATE TABLE {schema}."Log" (line text, "at" date) PARTITION BY RANGE ("at");
CREATE TABLE {schema}."Log 1" PARTITION OF {schema}."Log" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE MATERIALIZED VIEW {schema}."View" AS SELECT "primary" FROM {table};
CREATE UNIQUE INDEX "Key" ON {schema}."View" ("primary");
"""
PLACES = {
    "a word of SQL": ("app", 'app."order"'),
    "mixed case": ('"My App"', '"My App"."Order ""x"" 1"'),
    "public": ("public", 'public."order"'),
}
INVALID = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass('{schema}.several')"
NAMED = [
    ("index-build-blocking", 'CREATE INDEX "index" ON {table} ("Mixed Case", "user")', "{fix}"),
    ("index-build-blocking", """CREATE INDEX "Of Age" ON {table} (lower("user")) WHERE "user" <> 'a:b'""", "{fix}"),
    ("unique-build-blocking", 'ALTER TABLE {table} ADD CONSTRAINT "unique" UNIQUE ("primary", "user")', "{fix}"),
    ("check-scan-blocking", """ALTER TABLE {table} ADD CONSTRAINT "check" CHECK ("user" <> '[[:x')""", "{fix}"),
    ("fk-scan-blocking", 'ALTER TABLE {table} ADD CONSTRAINT "F" FOREIGN KEY ("primary") REFERENCES {table}', "{fix}"),
    ("not-null-scan-blocking", 'ALTER TABLE {table} ALTER COLUMN "Mixed Case" SET NOT NULL', "{fix}"),
    ("drop-index-blocking", 'DROP INDEX {schema}."Ix ""1"" x"', "{fix}"),
    ("index-rebuild-blocking", 'REINDEX INDEX {schema}."Ix ""1"" x"', "{fix}"),
    ("matview-refresh-blocking", 'REFRESH MATERIALIZED VIEW {schema}."View"', "{fix}"),
    ("detach-partition-blocking", 'ALTER TABLE {schema}."Log" DETACH PARTITION {schema}."Log 1"', "{fix}"),
    ("table-rewrite", 'ALTER TABLE {table} ALTER COLUMN "Mixed Case" TYPE bigint', "{fix}"),
    ("table-rewrite", 'ALTER TABLE {table} ADD COLUMN "default" serial', "{fix}"),
    ("table-rewrite", 'ALTER TABLE {table} ADD COLUMN "default" uuid DEFAULT gen_random_uuid()', "{fix}"),
    ("invalid-index-left", INVALID, "{upgrade}\n{fix}"),
    ("composite-index-dropped", 'ALTER TABLE {table} DROP COLUMN "Mixed Case"', "{fix}\n{upgrade}"),
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("rule", "statement", "pasted"), NAMED)
def test_a_pasted_fix_finds_objects_of_any_name(
    workbench: Workbench, rule: str, statement: str, pasted: str, place: str
) -> None:
    """Schema, table, column, constraint and index need quotes, and the schema is not the first of the search_path."""
    schema, table = PLACES[place]
    setup = SHOP.format(schema=schema, table=table).replace("CREATE SCHEMA public;", "")
    upgrade = execute(statement.format(schema=schema, table=table))
    fix = finding(workbench, rule, upgrade, setup=setup).fix
    assert "..." not in fix
    seen, found = workbench.see(Example(pasted.format(fix=fix, upgrade=upgrade), setup=setup))
    assert seen.trace.error is None
    assert rule not in {item.rule.id for item in found}
    again = rule != "detach-partition-blocking"  # DETACH has no IF EXISTS
    assert not again or [str(item) for item in found if item.rule.id == "partial-apply"] == []
