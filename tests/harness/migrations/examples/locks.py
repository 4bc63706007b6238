"""Locks that are held, waited for or lost: what must be found, and what must stay silent."""

from __future__ import annotations

from tests.harness.migrations.examples.bodies import (
    ADD_COLUMN,
    BLOCK,
    CHECK_TWO_STEPS,
    DROP_ADDED,
    DROP_NEW_TABLE,
    NEW_TABLE,
    TRIGGER,
    alone,
    build,
)
from tests.harness.migrations.workbench import Example

BREAKS: dict[str, list[Example]] = {
    "scan-while-locked": [
        Example(
            """
            ALTER TABLE account ADD CONSTRAINT c CHECK (id > 0) NOT VALID
            ALTER TABLE account VALIDATE CONSTRAINT c
            """,
            "ALTER TABLE account DROP CONSTRAINT c",
        ),
        Example(ADD_COLUMN + "\nSELECT count(*) FROM orders", DROP_ADDED),
    ],
    "detach-partition-blocking": [
        Example(
            "ALTER TABLE event DETACH PARTITION event_2025",
            "ALTER TABLE event ATTACH PARTITION event_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        ),
    ],
    "drop-index-blocking": [Example("DROP INDEX account_seen", "CREATE INDEX account_seen ON account (seen)")],
    "matview-refresh-blocking": [Example("REFRESH MATERIALIZED VIEW totals")],
    "multi-table-exclusive-locks": [
        Example(
            ADD_COLUMN + "\nALTER TABLE orders ADD COLUMN nick text",
            DROP_ADDED + "\nALTER TABLE orders DROP COLUMN nick",
        ),
    ],
    "no-lock-timeout": [
        Example("SET lock_timeout = 0\n" + ADD_COLUMN, DROP_ADDED),
        Example("SET LOCAL lock_timeout = 0\n" + ADD_COLUMN, DROP_ADDED),
    ],
    "lock-timeout-lost": [
        Example(
            """
            SET lock_timeout = 0
            SET LOCAL lock_timeout = '3s'
            SELECT 1
            with op.get_context().autocommit_block():
                op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS account_age ON account (age)")
            ALTER TABLE account ADD COLUMN nick text
            """,
            DROP_ADDED + "\nDROP INDEX account_age",
        ),
    ],
    "concurrent-short-timeout": [
        Example(
            BLOCK + 'op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS account_age ON account (age)")',
            "DROP INDEX account_age",
        ),
    ],
    "explicit-lock-table": [
        Example("LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE"),
        Example("op.execute('DO $$ BEGIN LOCK TABLE account IN EXCLUSIVE MODE; END $$')"),
    ],
    "add-trigger": [
        Example(
            TRIGGER.format("account"),
            "DROP TRIGGER t ON account",
        ),
    ],
    "too-many-alters": [
        Example(
            """
            ALTER TABLE account ALTER COLUMN age TYPE bigint
            ALTER TABLE account ADD CONSTRAINT c CHECK (id > 0)
            """,
            "ALTER TABLE account DROP CONSTRAINT c\nALTER TABLE account ALTER COLUMN age TYPE integer",
        ),
    ],
}

SILENT: dict[str, list[Example]] = {
    "scan-while-locked": [
        Example(CHECK_TWO_STEPS, "ALTER TABLE account DROP CONSTRAINT age_known"),
        Example(ADD_COLUMN + "\nSELECT email FROM account WHERE id = 3", DROP_ADDED),
    ],
    "detach-partition-blocking": [
        Example(
            """
            attached = sa.text("SELECT count(*) FROM pg_inherits WHERE inhrelid = 'event_2025'::regclass")
            if op.get_bind().scalar(attached):
                with op.get_context().autocommit_block():
                    op.execute("SET lock_timeout = 0")
                    op.execute("ALTER TABLE event DETACH PARTITION event_2025 CONCURRENTLY")
                    op.execute("SET lock_timeout = '5s'")
            """,
            "ALTER TABLE event ATTACH PARTITION event_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')\n"
            "ALTER TABLE event_2025 DROP CONSTRAINT event_2025_happened_check",
        ),
    ],
    "drop-index-blocking": [
        Example(
            alone("DROP INDEX CONCURRENTLY IF EXISTS account_seen"),
            "CREATE INDEX account_seen ON account (seen)",
        ),
    ],
    "matview-refresh-blocking": [
        Example(alone("REFRESH MATERIALIZED VIEW CONCURRENTLY totals")),
    ],
    "multi-table-exclusive-locks": [
        Example(
            ADD_COLUMN + "\n" + NEW_TABLE + "\nALTER TABLE tag ADD COLUMN more text", DROP_NEW_TABLE + "\n" + DROP_ADDED
        ),
    ],
    "no-lock-timeout": [
        Example(ADD_COLUMN, DROP_ADDED),
        Example(
            "SET lock_timeout = 0\n" + NEW_TABLE + "\nALTER TABLE tag ADD COLUMN nick text\nSET lock_timeout = '5s'",
            DROP_NEW_TABLE,
        ),
    ],
    "lock-timeout-lost": [
        Example(
            """
            SET lock_timeout = '3s'
            with op.get_context().autocommit_block():
                op.execute("SELECT 1")
            ALTER TABLE account ADD COLUMN nick text
            """,
            DROP_ADDED,
        ),
    ],
    "concurrent-short-timeout": [Example(build("account_age", "account (age)"), "DROP INDEX account_age")],
    "explicit-lock-table": [Example("LOCK TABLE account IN ACCESS SHARE MODE")],
    "add-trigger": [
        Example(
            NEW_TABLE + "\n" + TRIGGER.format("tag"),
            DROP_NEW_TABLE,
        ),
    ],
    "too-many-alters": [
        Example(ADD_COLUMN + "\nALTER TABLE account ALTER COLUMN nick SET DEFAULT 'x'", DROP_ADDED),
    ],
}
