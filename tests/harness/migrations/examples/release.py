"""What breaks the release before: what must be found, and what must stay silent."""

from __future__ import annotations

from tests.harness.migrations.examples.bodies import (
    ADD_COLUMN,
    DROP_ADDED,
    DROP_NEW_TABLE,
    NEW_TABLE,
    NOT_NULL_STEPS,
    alone,
)
from tests.harness.migrations.workbench import Example

CHECKED = "ALTER TABLE account ADD CONSTRAINT grown CHECK (age > 0) NOT VALID"

BREAKS: dict[str, list[Example]] = {
    "drop-column": [
        Example("ALTER TABLE account DROP COLUMN note", "ALTER TABLE account ADD COLUMN note text"),
        Example("ALTER TABLE account DROP COLUMN note\nALTER TABLE account ADD COLUMN note text"),
    ],
    "drop-table": [
        Example("DROP TABLE event_2027", "CREATE TABLE event_2027 (id bigint NOT NULL, happened date NOT NULL)"),
        Example(
            "CREATE TABLE later (LIKE event_2027)\nDROP TABLE event_2027\nALTER TABLE later RENAME TO event_2027",
        ),
    ],
    "rename-column": [
        Example(
            'op.alter_column("account", "note", new_column_name="remark")',
            'op.alter_column("account", "remark", new_column_name="note")',
        )
    ],
    "rename-table": [Example('op.rename_table("event_2027", "later")', 'op.rename_table("later", "event_2027")')],
    "rename-schema": [
        Example(
            "ALTER SCHEMA shop RENAME TO store",
            "ALTER SCHEMA store RENAME TO shop",
            setup="CREATE SCHEMA shop; CREATE TABLE shop.item (id bigint PRIMARY KEY)",
        ),
    ],
    "old-insert-breaks": [
        Example(
            "ALTER TABLE account ALTER COLUMN code DROP DEFAULT",
            "ALTER TABLE account ALTER COLUMN code SET DEFAULT 'x'",
        ),
        Example(
            "ALTER TABLE account ADD COLUMN nick text NOT NULL DEFAULT ''\n"
            "ALTER TABLE account ALTER COLUMN nick DROP DEFAULT",
            DROP_ADDED,
        ),
    ],
    "type-change-breaks-prepared": [
        Example(
            "ALTER TABLE account ALTER COLUMN name TYPE varchar(100)",
            "ALTER TABLE account ALTER COLUMN name TYPE varchar(50)",
        ),
    ],
    "rename-enum-value": [
        Example(
            "ALTER TYPE status RENAME VALUE 'done' TO 'closed'", "ALTER TYPE status RENAME VALUE 'closed' TO 'done'"
        ),
    ],
    "remove-enum-value": [
        Example(
            """
            ALTER TYPE status RENAME TO status_old
            CREATE TYPE status AS ENUM ('open')
            ALTER TABLE account ALTER COLUMN state DROP DEFAULT
            ALTER TABLE account ALTER COLUMN state TYPE status USING 'open'
            ALTER TABLE account ALTER COLUMN state SET DEFAULT 'open'
            DROP TYPE status_old
            """,
        ),
    ],
    "new-constraint-rejects-old-writes": [
        Example(
            NOT_NULL_STEPS.replace('    op.execute("ALTER TABLE account ALTER COLUMN age SET DEFAULT 0")\n', ""),
            "ALTER TABLE account ALTER COLUMN age DROP NOT NULL",
        ),
        Example(
            "ALTER TABLE account ADD CONSTRAINT c CHECK (note = 'never') NOT VALID",
            "ALTER TABLE account DROP CONSTRAINT c",
        ),
    ],
    "drop-not-null": [
        Example(
            "ALTER TABLE account ALTER COLUMN email DROP NOT NULL",
            "ALTER TABLE account ALTER COLUMN email SET NOT NULL",
        )
    ],
    "drop-fk": [
        Example(
            "ALTER TABLE orders DROP CONSTRAINT orders_account_id_fkey",
            "ALTER TABLE orders ADD CONSTRAINT orders_account_id_fkey FOREIGN KEY (account_id) REFERENCES account",
        ),
    ],
    "drop-unique": [
        Example(
            "ALTER TABLE account DROP CONSTRAINT account_email_key",
            "ALTER TABLE account ADD CONSTRAINT account_email_key UNIQUE (email)",
        ),
        Example(
            alone("DROP INDEX CONCURRENTLY IF EXISTS few"),
            "CREATE UNIQUE INDEX few ON account (lower(email)) WHERE age > 3",
            setup="CREATE UNIQUE INDEX few ON account (lower(email)) WHERE age > 3",
        ),
    ],
    "drop-check": [
        Example(
            "ALTER TABLE account DROP CONSTRAINT grown",
            "ALTER TABLE account ADD CONSTRAINT grown CHECK (age > 0) NOT VALID",
            setup=CHECKED,
        ),
        Example(
            "ALTER TABLE account DROP CONSTRAINT apart",
            "ALTER TABLE account ADD CONSTRAINT apart EXCLUDE (id WITH =)",
            setup="ALTER TABLE account ADD CONSTRAINT apart EXCLUDE (id WITH =)",
        ),
    ],
    "replaced-view": [
        Example(
            "DROP VIEW big_orders\nCREATE VIEW big_orders AS SELECT id FROM orders",
            "DROP VIEW big_orders\nCREATE VIEW big_orders AS SELECT id, total FROM orders",
        ),
        Example("DROP VIEW big_orders", "CREATE VIEW big_orders AS SELECT id, total FROM orders"),
    ],
}

SILENT: dict[str, list[Example]] = {
    "drop-column": [
        Example(NEW_TABLE + "\nALTER TABLE tag DROP COLUMN name", DROP_NEW_TABLE),
    ],
    "drop-table": [Example(NEW_TABLE + "\nDROP TABLE tag")],
    "rename-column": [
        Example(
            ADD_COLUMN + "\nALTER TABLE account RENAME nick TO nickname", "ALTER TABLE account DROP COLUMN nickname"
        )
    ],
    "rename-table": [
        Example(
            "ALTER TABLE event_2027 RENAME TO later\nCREATE VIEW event_2027 AS SELECT id, happened FROM later",
            "DROP VIEW event_2027\nALTER TABLE later RENAME TO event_2027",
        ),
    ],
    "rename-schema": [Example("CREATE SCHEMA shop\nALTER SCHEMA shop RENAME TO store", "DROP SCHEMA store")],
    "old-insert-breaks": [
        Example(
            "ALTER TABLE account ALTER COLUMN code SET DEFAULT 'y'",
            "ALTER TABLE account ALTER COLUMN code SET DEFAULT 'x'",
        ),
    ],
    "type-change-breaks-prepared": [Example(ADD_COLUMN, DROP_ADDED)],
    "rename-enum-value": [
        Example(
            """
            with op.get_context().autocommit_block():
                op.execute("ALTER TYPE status ADD VALUE IF NOT EXISTS 'late' BEFORE 'done'")
            """,
        ),
    ],
    "remove-enum-value": [
        Example("CREATE TYPE mood AS ENUM ('ok')", "DROP TYPE mood"),
    ],
    "new-constraint-rejects-old-writes": [
        Example(
            "ALTER TABLE account ADD CONSTRAINT c CHECK (id > 0) NOT VALID", "ALTER TABLE account DROP CONSTRAINT c"
        ),
        Example("CREATE TABLE tag (id bigint PRIMARY KEY CHECK (id > 0))", DROP_NEW_TABLE),
    ],
    "drop-not-null": [
        Example(
            "ALTER TABLE account ALTER COLUMN note SET DEFAULT ''", "ALTER TABLE account ALTER COLUMN note DROP DEFAULT"
        )
    ],
    "drop-fk": [
        Example(
            "ALTER TABLE orders RENAME CONSTRAINT orders_account_id_fkey TO f",
            "ALTER TABLE orders RENAME CONSTRAINT f TO orders_account_id_fkey",
        ),
    ],
    "drop-unique": [
        Example(
            "ALTER TABLE account RENAME CONSTRAINT account_email_key TO u",
            "ALTER TABLE account RENAME CONSTRAINT u TO account_email_key",
        ),
        Example(
            "ALTER TABLE account DROP CONSTRAINT account_email_key",
            "ALTER TABLE account ADD CONSTRAINT account_email_key UNIQUE (email)",
            setup="CREATE UNIQUE INDEX again ON account (email)",
        ),
    ],
    "drop-check": [
        Example(
            "ALTER TABLE account RENAME CONSTRAINT grown TO g",
            "ALTER TABLE account RENAME CONSTRAINT g TO grown",
            setup=CHECKED,
        ),
        Example(
            "ALTER TABLE account DROP CONSTRAINT grown, ADD CONSTRAINT older CHECK (age >= -5) NOT VALID",
            "ALTER TABLE account DROP CONSTRAINT older, ADD CONSTRAINT grown CHECK (age > 0) NOT VALID",
            setup=CHECKED,
        ),
        Example(
            "ALTER TABLE account ALTER COLUMN note SET NOT NULL\nALTER TABLE account DROP CONSTRAINT known",
            "ALTER TABLE account ALTER COLUMN note DROP NOT NULL, ADD CONSTRAINT known CHECK (note IS NOT NULL)",
            setup="ALTER TABLE account ALTER COLUMN note SET DEFAULT 'x', "
            "ADD CONSTRAINT known CHECK (note IS NOT NULL)",
        ),
    ],
    "replaced-view": [
        Example(
            "CREATE OR REPLACE VIEW big_orders AS SELECT id, total, account_id FROM orders",
            "DROP VIEW big_orders\nCREATE VIEW big_orders AS SELECT id, total FROM orders",
        ),
    ],
}
