"""Each common Alembic operation is a finding as tutorials write it, and none in its safe form."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from harness.findings import Exemption
from harness.rules import judge
from tests.harness.migrations.bodies import BATCHES, BLOCK, NOT_NULL_BACK, NOT_NULL_STEPS, alone, build
from tests.harness.migrations.workbench import Example, Workbench

pytestmark = pytest.mark.slow

REASON = "unused since release 41, whose notes say so"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation both ways; `found` must be found the naive way, `accepted` is exempted with a reason when safe."""

    found: str
    naive: Example
    safe: Example
    accepted: list[tuple[str, str]] = field(default_factory=list)


DROP_NICK = 'op.drop_column("account", "nick")'

OPERATIONS = {
    "add a column that must be given": Operation(
        "required-column-added",
        Example('op.add_column("account", sa.Column("nick", sa.Text(), nullable=False))', DROP_NICK),
        Example('op.add_column("account", sa.Column("nick", sa.Text(), server_default="", nullable=False))', DROP_NICK),
    ),
    "add a column with a default for each row": Operation(
        "table-rewrite",
        Example(
            'op.add_column("account", sa.Column("k", sa.Uuid(), server_default=sa.func.gen_random_uuid()))',
            'op.drop_column("account", "k")',
        ),
        Example(
            'op.add_column("account", sa.Column("k", sa.Uuid()))\n'
            'op.alter_column("account", "k", server_default=sa.func.gen_random_uuid())',
            'op.drop_column("account", "k")',
        ),
    ),
    "add a column and fill it": Operation(
        "backfill-in-ddl-transaction",
        Example(
            'op.add_column("account", sa.Column("nick", sa.Text()))\nop.execute("UPDATE account SET nick = email")',
            DROP_NICK,
        ),
        Example(
            BLOCK + 'op.execute("ALTER TABLE account ADD COLUMN IF NOT EXISTS nick text")\n'
            '    fill = sa.text("UPDATE account SET nick = email WHERE id IN"\n'
            '                   " (SELECT id FROM account WHERE nick IS NULL LIMIT 5)")\n'
            "    while op.get_bind().execute(fill).rowcount:\n        pass",
            DROP_NICK,
        ),
    ),
    "make a column NOT NULL": Operation(
        "fails-on-existing-data",
        Example(
            'op.alter_column("account", "age", nullable=False)', 'op.alter_column("account", "age", nullable=True)'
        ),
        Example(NOT_NULL_STEPS, NOT_NULL_BACK),
    ),
    "make a column nullable": Operation(
        "drop-not-null",
        Example(
            'op.alter_column("account", "email", nullable=True)', 'op.alter_column("account", "email", nullable=False)'
        ),
        Example(
            'op.alter_column("account", "email", nullable=True)', 'op.alter_column("account", "email", nullable=False)'
        ),
        [("drop-not-null", "public.account.email")],
    ),
    "widen an integer": Operation(
        "table-rewrite",
        Example(
            'op.alter_column("account", "age", type_=sa.BigInteger())',
            'op.alter_column("account", "age", type_=sa.Integer())',
        ),
        Example(
            'op.add_column("account", sa.Column("age_wide", sa.BigInteger()))', 'op.drop_column("account", "age_wide")'
        ),
    ),
    "widen a string": Operation(
        "type-change-breaks-prepared",
        Example(
            'op.alter_column("account", "name", type_=sa.String(100))',
            'op.alter_column("account", "name", type_=sa.String(50))',
        ),
        Example(
            'op.alter_column("account", "name", type_=sa.String(100))',
            'op.alter_column("account", "name", type_=sa.String(50))',
        ),
        [("type-change-breaks-prepared", "public.account.name")],
    ),
    "rename a column": Operation(
        "rename-column",
        Example(
            'op.alter_column("account", "note", new_column_name="remark")',
            'op.alter_column("account", "remark", new_column_name="note")',
        ),
        Example('op.add_column("account", sa.Column("remark", sa.Text()))', 'op.drop_column("account", "remark")'),
    ),
    "drop a column": Operation(
        "drop-column",
        Example('op.drop_column("account", "note")', 'op.add_column("account", sa.Column("note", sa.Text()))'),
        Example('op.drop_column("account", "note")', 'op.add_column("account", sa.Column("note", sa.Text()))'),
        [("drop-column", "public.account.note"), ("downgrade-data-loss", "public.account.note")],
    ),
    "set a default": Operation(
        "old-insert-breaks",
        Example(
            'op.alter_column("account", "code", server_default=None)',
            'op.alter_column("account", "code", server_default="x")',
        ),
        Example(
            'op.alter_column("account", "code", server_default="y")',
            'op.alter_column("account", "code", server_default="x")',
        ),
    ),
    "create an index": Operation(
        "index-build-blocking",
        Example('op.create_index("account_age", "account", ["age"])', 'op.drop_index("account_age")'),
        Example(build("account_age", "account (age)"), 'op.drop_index("account_age")'),
    ),
    "create an index concurrently": Operation(
        "concurrently-in-transaction",
        Example(
            'op.create_index("account_age", "account", ["age"], postgresql_concurrently=True)',
            'op.drop_index("account_age")',
        ),
        Example(build("account_age", "account (age)"), 'op.drop_index("account_age")'),
    ),
    "drop an index": Operation(
        "drop-index-blocking",
        Example('op.drop_index("account_seen", "account")', 'op.create_index("account_seen", "account", ["seen"])'),
        Example(
            alone("DROP INDEX CONCURRENTLY IF EXISTS account_seen"),
            'op.create_index("account_seen", "account", ["seen"])',
        ),
    ),
    "create a unique constraint": Operation(
        "unique-build-blocking",
        Example('op.create_unique_constraint("u", "account", ["email", "age"])', 'op.drop_constraint("u", "account")'),
        Example(
            build("u", "account (email, age)", "UNIQUE ") + "ALTER TABLE account ADD CONSTRAINT u UNIQUE USING INDEX u",
            'op.drop_constraint("u", "account")',
        ),
    ),
    "create a foreign key": Operation(
        "fk-scan-blocking",
        Example(
            'op.create_foreign_key("f", "orders", "account", ["ref"], ["id"])',
            'op.drop_constraint("f", "orders")',
            setup="UPDATE orders SET ref = NULL",
            seed="{}",
        ),
        Example(
            BLOCK + 'op.execute("ALTER TABLE orders DROP CONSTRAINT IF EXISTS f")\n'
            '    op.create_foreign_key("f", "orders", "account", ["account_id"], ["id"], postgresql_not_valid=True)\n'
            '    op.execute("ALTER TABLE orders VALIDATE CONSTRAINT f")',
            'op.drop_constraint("f", "orders")',
        ),
    ),
    "create a check": Operation(
        "check-scan-blocking",
        Example('op.create_check_constraint("c", "account", "id > 0")', 'op.drop_constraint("c", "account")'),
        Example(
            BLOCK + 'op.execute("ALTER TABLE account DROP CONSTRAINT IF EXISTS c")\n'
            '    op.create_check_constraint("c", "account", "id > -10", postgresql_not_valid=True)\n'
            '    op.execute("ALTER TABLE account VALIDATE CONSTRAINT c")',
            'op.drop_constraint("c", "account")',
        ),
    ),
    "rename a table": Operation(
        "rename-table",
        Example('op.rename_table("event_2027", "later")', 'op.rename_table("later", "event_2027")'),
        Example(
            'op.rename_table("event_2027", "later")\nCREATE VIEW event_2027 AS SELECT id, happened FROM later',
            'DROP VIEW event_2027\nop.rename_table("later", "event_2027")',
        ),
    ),
    "drop a table": Operation(
        "drop-table",
        Example('op.drop_table("event_2027")', "CREATE TABLE event_2027 (id bigint NOT NULL, happened date NOT NULL)"),
        Example('op.drop_table("event_2027")', "CREATE TABLE event_2027 (id bigint NOT NULL, happened date NOT NULL)"),
        [("drop-table", "public.event_2027"), ("downgrade-data-loss", "public.event_2027")],
    ),
    "add a value to an enum": Operation(
        "enum-value-same-transaction",
        Example("ALTER TYPE status ADD VALUE 'late'\nALTER TABLE account ALTER COLUMN state SET DEFAULT 'late'"),
        Example(BLOCK + "op.execute(\"ALTER TYPE status ADD VALUE IF NOT EXISTS 'late'\")"),
    ),
    "update all rows": Operation(
        "unbatched-backfill",
        Example("UPDATE account SET note = coalesce(note, '')"),
        Example(BATCHES),
    ),
    "create a table": Operation(
        "downgrade-not-symmetric",
        Example(
            'op.create_table("tag", sa.Column("id", sa.BigInteger(), primary_key=True),'
            ' sa.Column("mood", sa.Enum("ok", name="mood")))',
            'op.drop_table("tag")',
        ),
        Example(
            'op.create_table("tag", sa.Column("id", sa.BigInteger(), primary_key=True),'
            ' sa.Column("account_id", sa.BigInteger(), sa.ForeignKey("account.id"), index=True))',
            'op.drop_table("tag")',
        ),
    ),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_the_naive_way_is_found(operation: Operation, workbench: Workbench) -> None:
    """Under the id of the rule that matters most."""
    seen, found = workbench.see(operation.naive)
    assert operation.found in {finding.rule.id for finding in found}, (seen.trace.error, found)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_the_safe_way_is_silent(operation: Operation, workbench: Workbench) -> None:
    """Where there is no safe way, an exemption with a reason is what it takes, and none of them is stale."""
    seen, found = workbench.see(operation.safe)
    exemptions = [Exemption(rule, place, REASON) for rule, place in operation.accepted]
    verdict = judge(found, exemptions, strict=True)
    assert verdict.clean, (str(verdict), seen.trace.error)
