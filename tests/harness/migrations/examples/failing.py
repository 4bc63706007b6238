"""What fails in production only: what must be found, and what must stay silent."""

from __future__ import annotations

from tests.harness.migrations.examples.bodies import (
    ADD_COLUMN,
    BATCHES,
    BLOCK,
    DROP_ADDED,
    DROP_NEW_TABLE,
    NEW_TABLE,
    NOT_NULL_BACK,
    NOT_NULL_STEPS,
    build,
)
from tests.harness.migrations.workbench import Example

BREAKS: dict[str, list[Example]] = {
    "required-column-added": [
        Example("ALTER TABLE account ADD COLUMN nick text NOT NULL", DROP_ADDED),
        Example('op.add_column("account", sa.Column("nick", sa.Text(), nullable=False))', DROP_ADDED),
    ],
    "fails-on-existing-data": [
        Example("CREATE UNIQUE INDEX u ON account (note)", "DROP INDEX u"),
        Example(
            "ALTER TABLE account ALTER COLUMN age SET NOT NULL", "ALTER TABLE account ALTER COLUMN age DROP NOT NULL"
        ),
        Example("ALTER TABLE account ADD CONSTRAINT c CHECK (note = 'never')", "ALTER TABLE account DROP CONSTRAINT c"),
        Example("ALTER TABLE account ALTER COLUMN email TYPE integer USING email::integer"),
    ],
    "concurrently-in-transaction": [
        Example("CREATE INDEX CONCURRENTLY account_age ON account (age)", "DROP INDEX account_age")
    ],
    "enum-value-same-transaction": [
        Example("ALTER TYPE status ADD VALUE 'late'\nUPDATE account SET state = 'late' WHERE id = 1"),
    ],
    "pending-trigger-events": [
        Example(
            "UPDATE orders SET parent_id = id\nALTER TABLE orders ADD COLUMN nick text",
            "ALTER TABLE orders DROP COLUMN nick",
        ),
    ],
    "invalid-index-left": [
        Example(
            """
            with op.get_context().autocommit_block():
                try:
                    op.execute("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS u ON account (code)")
                except sa.exc.IntegrityError:
                    pass
            """,
            "DROP INDEX u",
            setup="ALTER TABLE account ADD CONSTRAINT same CHECK (code IN ('x', 'y'))",
        ),
    ],
    "if-not-exists-hides-invalid-index": [
        Example(
            BLOCK + 'op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS account_age ON account (age)")',
            "DROP INDEX account_age",
        ),
    ],
    "identifier-truncated": [
        Example(f"ALTER TABLE account ADD COLUMN {'n' * 64} text", f"ALTER TABLE account DROP COLUMN {'n' * 63}"),
    ],
    "transaction-control": [
        Example(ADD_COLUMN + "\nCOMMIT", DROP_ADDED),
        Example("BEGIN\n" + ADD_COLUMN, DROP_ADDED),
    ],
    "partial-apply": [
        Example(BLOCK + f'op.execute("{ADD_COLUMN}")', DROP_ADDED),
        Example(
            BLOCK + 'op.execute("CREATE INDEX CONCURRENTLY account_age ON account (age)")', "DROP INDEX account_age"
        ),
        Example(ADD_COLUMN + "\nCOMMIT", DROP_ADDED),
    ],
    "revision-hangs": [
        Example(
            """
            ALTER TABLE account ADD COLUMN nick text
            with sa.create_engine(op.get_bind().engine.url, poolclass=sa.NullPool).begin() as other:
                other.execute(sa.text("SELECT count(*) FROM account"))
            """,
            DROP_ADDED,
        ),
    ],
    "revision-fails": [
        Example("ALTER TABLE absent ADD COLUMN nick text"),
        Example('raise RuntimeError("not today")'),
        Example("CREATE EXTENSION postgis_that_is_not_there"),
        Example("DROP SCHEMA public CASCADE"),
    ],
}

SILENT: dict[str, list[Example]] = {
    "required-column-added": [
        Example("ALTER TABLE account ADD COLUMN nick text NOT NULL DEFAULT ''", DROP_ADDED),
    ],
    "fails-on-existing-data": [Example(NOT_NULL_STEPS, NOT_NULL_BACK)],
    "concurrently-in-transaction": [Example(build("account_age", "account (age)"), "DROP INDEX account_age")],
    "enum-value-same-transaction": [
        Example(
            "CREATE TYPE mood AS ENUM ('ok', 'late')\nALTER TABLE account ADD COLUMN mood mood DEFAULT 'late'",
            "ALTER TABLE account DROP COLUMN mood\nDROP TYPE mood",
        ),
    ],
    "pending-trigger-events": [
        Example(
            "SET CONSTRAINTS ALL IMMEDIATE\nINSERT INTO orders (account_id, total) SELECT id, 1 FROM account LIMIT 1\n"
            "ALTER TABLE orders ADD COLUMN nick text",
            "ALTER TABLE orders DROP COLUMN nick",
        ),
    ],
    "invalid-index-left": [Example(build("account_age", "account (age)"), "DROP INDEX account_age")],
    "if-not-exists-hides-invalid-index": [Example(build("account_age", "account (age)"), "DROP INDEX account_age")],
    "identifier-truncated": [
        Example(f"ALTER TABLE account ADD COLUMN {'n' * 63} text", f"ALTER TABLE account DROP COLUMN {'n' * 63}"),
    ],
    "transaction-control": [Example(ADD_COLUMN, DROP_ADDED)],
    "partial-apply": [
        Example(BLOCK + 'op.execute("ALTER TABLE account ADD COLUMN IF NOT EXISTS nick text")', DROP_ADDED),
        Example(BATCHES),
    ],
    "revision-hangs": [Example("SELECT count(*) FROM account")],
    "revision-fails": [Example(NEW_TABLE, DROP_NEW_TABLE)],
}
