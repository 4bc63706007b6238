"""For every rule over a trace: revisions that break it, and revisions that do the like and must stay silent."""

from __future__ import annotations

from tests.harness.migrations.workbench import Example

BLOCK = "with op.get_context().autocommit_block():\n    "
BATCHES = """
with op.get_context().autocommit_block():
    bind = op.get_bind()
    while bind.execute(sa.text(
        "UPDATE account SET note = '' WHERE id IN (SELECT id FROM account WHERE note IS NULL LIMIT 5)"
    )).rowcount:
        pass
"""
BUILD = """
with op.get_context().autocommit_block():
    op.execute("SET lock_timeout = 0")
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute("CREATE {unique}INDEX CONCURRENTLY {name} ON {on}")
    op.execute("SET lock_timeout = '5s'")
"""


def build(name: str, on: str, unique: str = "") -> str:
    """A build CONCURRENTLY that may be run again."""
    return BUILD.format(name=name, on=on, unique=unique)


def alone(statement: str) -> str:
    """A statement outside a transaction that may wait as long as it has to."""
    lines = ("SET lock_timeout = 0", statement, "RESET lock_timeout")
    return "with op.get_context().autocommit_block():\n" + "\n".join(f"    op.execute({line!r})" for line in lines)


CHECK_TWO_STEPS = """
with op.get_context().autocommit_block():
    op.execute("ALTER TABLE account DROP CONSTRAINT IF EXISTS age_known,"
               " ADD CONSTRAINT age_known CHECK (age > -2147483648 OR age IS NULL OR age <= 0) NOT VALID")
    op.execute("ALTER TABLE account VALIDATE CONSTRAINT age_known")
"""
NOT_NULL_STEPS = """
with op.get_context().autocommit_block():
    op.execute("ALTER TABLE account ALTER COLUMN age SET DEFAULT 0")
    op.execute("UPDATE account SET age = 0 WHERE age IS NULL AND id > 0 AND id < 1000")
    op.execute("ALTER TABLE account DROP CONSTRAINT IF EXISTS age_set,"
               " ADD CONSTRAINT age_set CHECK (age IS NOT NULL) NOT VALID")
    op.execute("ALTER TABLE account VALIDATE CONSTRAINT age_set")
    op.execute("ALTER TABLE account ALTER COLUMN age SET NOT NULL")
    op.execute("ALTER TABLE account DROP CONSTRAINT age_set")
"""
NOT_NULL_BACK = """
ALTER TABLE account ALTER COLUMN age DROP NOT NULL
ALTER TABLE account ALTER COLUMN age DROP DEFAULT
"""
FK_TWO_STEPS = """
UPDATE orders SET ref = NULL WHERE ref IS NOT NULL AND id > 0 AND id < 1000
with op.get_context().autocommit_block():
    op.execute("ALTER TABLE orders DROP CONSTRAINT IF EXISTS orders_ref_fkey,"
               " ADD CONSTRAINT orders_ref_fkey FOREIGN KEY (ref) REFERENCES account NOT VALID")
    op.execute("ALTER TABLE orders VALIDATE CONSTRAINT orders_ref_fkey")
"""
FK_BACK = "ALTER TABLE orders DROP CONSTRAINT orders_ref_fkey"
NO_REF = "UPDATE orders SET ref = NULL"
NEW_TABLE = "CREATE TABLE tag (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL)"
DROP_NEW_TABLE = "DROP TABLE tag"
ADD_COLUMN = "ALTER TABLE account ADD COLUMN nick text"
TRIGGER = "CREATE TRIGGER t BEFORE UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
DROP_ADDED = "ALTER TABLE account DROP COLUMN nick"

BREAKS: dict[str, list[Example]] = {
    "table-rewrite": [
        Example(
            "ALTER TABLE account ALTER COLUMN age TYPE bigint", "ALTER TABLE account ALTER COLUMN age TYPE integer"
        ),
        Example(
            "ALTER TABLE account ADD COLUMN k uuid NOT NULL DEFAULT gen_random_uuid()",
            "ALTER TABLE account DROP COLUMN k",
        ),
        Example("ALTER TABLE account ADD COLUMN n serial", "ALTER TABLE account DROP COLUMN n"),
        Example("ALTER TABLE event_2027 SET UNLOGGED", "ALTER TABLE event_2027 SET LOGGED"),
        Example(BLOCK + 'op.execute("VACUUM FULL account")'),
        Example('op.execute("DO $$ BEGIN ALTER TABLE account ALTER COLUMN age TYPE bigint; END $$")'),
    ],
    "index-rebuild-blocking": [
        Example(
            "ALTER TABLE account ALTER COLUMN seen TYPE timestamptz",
            "ALTER TABLE account ALTER COLUMN seen TYPE timestamp",
        ),
        Example("REINDEX TABLE account"),
        Example(BLOCK + 'op.execute("REINDEX INDEX account_seen")'),
    ],
    "index-build-blocking": [
        Example("CREATE INDEX account_age ON account (age)", "DROP INDEX account_age"),
        Example('op.create_index("account_age", "account", ["age"])', 'op.drop_index("account_age")'),
        Example("CREATE INDEX event_id ON event (id)", "DROP INDEX event_id"),
        Example(BLOCK + 'op.execute("CREATE INDEX account_age ON account (age)")', "DROP INDEX account_age"),
        Example(
            'op.execute("DO $$ BEGIN CREATE INDEX account_age ON account (age); END $$")', "DROP INDEX account_age"
        ),
    ],
    "unique-build-blocking": [
        Example('op.create_unique_constraint("u", "account", ["email", "age"])', 'op.drop_constraint("u", "account")'),
        Example(
            "ALTER TABLE event_2027 ADD PRIMARY KEY (id)", "ALTER TABLE event_2027 DROP CONSTRAINT event_2027_pkey"
        ),
        Example("ALTER TABLE account ADD COLUMN nick text UNIQUE", DROP_ADDED),
        Example(
            "ALTER TABLE account ADD CONSTRAINT x EXCLUDE USING btree (id WITH =)",
            "ALTER TABLE account DROP CONSTRAINT x",
        ),
    ],
    "check-scan-blocking": [
        Example("ALTER TABLE account ADD CONSTRAINT c CHECK (id > 0)", "ALTER TABLE account DROP CONSTRAINT c"),
        Example("ALTER TABLE account ADD COLUMN nick text CHECK (nick <> '')", DROP_ADDED),
    ],
    "fk-scan-blocking": [
        Example(
            "ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (ref) REFERENCES account",
            "ALTER TABLE orders DROP CONSTRAINT f",
            setup="UPDATE orders SET ref = NULL",
            seed="{}",
        ),
        Example(
            "ALTER TABLE orders ADD COLUMN by bigint DEFAULT 1 REFERENCES account", "ALTER TABLE orders DROP COLUMN by"
        ),
    ],
    "not-null-scan-blocking": [
        Example(
            "ALTER TABLE account ALTER COLUMN age SET NOT NULL",
            "ALTER TABLE account ALTER COLUMN age DROP NOT NULL",
            setup="ALTER TABLE account ADD CHECK (age > 0 AND age IS NOT NULL) NOT VALID",
        ),
        Example(
            "ALTER TABLE orders ADD PRIMARY KEY USING INDEX orders_ref",
            "ALTER TABLE orders DROP CONSTRAINT orders_ref",
            setup="ALTER TABLE orders DROP CONSTRAINT orders_parent_id_fkey, DROP CONSTRAINT orders_pkey;"
            " CREATE UNIQUE INDEX orders_ref ON orders (ref);"
            " ALTER TABLE orders ADD CHECK (ref > 0 AND ref IS NOT NULL) NOT VALID",
        ),
    ],
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
    "partition-attach-scan": [
        Example(
            "ALTER TABLE event ATTACH PARTITION event_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
            "ALTER TABLE event DETACH PARTITION event_2027",
        ),
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
    "explicit-lock-table": [Example("LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE")],
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
    "replaced-view": [
        Example(
            "DROP VIEW big_orders\nCREATE VIEW big_orders AS SELECT id FROM orders",
            "DROP VIEW big_orders\nCREATE VIEW big_orders AS SELECT id, total FROM orders",
        ),
        Example("DROP VIEW big_orders", "CREATE VIEW big_orders AS SELECT id, total FROM orders"),
    ],
    "truncate": [Example("TRUNCATE event_2027")],
    "cascade-drop": [
        Example(
            "ALTER TABLE orders DROP COLUMN total CASCADE",
            "ALTER TABLE orders ADD COLUMN total numeric",
        ),
        Example("DROP TABLE account CASCADE"),
    ],
    "composite-index-dropped": [
        Example("ALTER TABLE account DROP COLUMN name", "ALTER TABLE account ADD COLUMN name varchar(50)")
    ],
    "lossy-type-change": [
        Example(
            "ALTER TABLE account ALTER COLUMN email TYPE varchar(2) USING left(email, 2)",
            "ALTER TABLE account ALTER COLUMN email TYPE text",
            setup="ALTER TABLE account DROP CONSTRAINT account_email_key",
        ),
        Example(
            "ALTER TABLE account ALTER COLUMN age TYPE boolean USING age > 0",
            "ALTER TABLE account ALTER COLUMN age TYPE integer USING age::integer",
        ),
    ],
    "unbatched-backfill": [
        Example("UPDATE account SET note = 'x'"),
        Example(BLOCK + "op.execute(\"UPDATE account SET note = 'x'\")"),
        Example("DELETE FROM event_2027"),
    ],
    "backfill-in-ddl-transaction": [
        Example(ADD_COLUMN + "\nUPDATE account SET nick = email", DROP_ADDED),
        Example(ADD_COLUMN + "\nUPDATE account SET nick = 'x' WHERE note IS NOT NULL", DROP_ADDED),
    ],
    "downgrade-missing": [
        Example(ADD_COLUMN),
        Example(ADD_COLUMN, "raise NotImplementedError"),
    ],
    "downgrade-not-symmetric": [
        Example("CREATE TYPE mood AS ENUM ('ok')\nCREATE TABLE tag (id bigint PRIMARY KEY, mood mood)", DROP_NEW_TABLE),
        Example("ALTER TABLE account ALTER COLUMN code SET DEFAULT 'y'\n" + ADD_COLUMN, DROP_ADDED),
        Example(ADD_COLUMN, DROP_ADDED + "\nALTER TABLE account DROP COLUMN nick"),
    ],
    "downgrade-data-loss": [
        Example(ADD_COLUMN, DROP_ADDED + "\nUPDATE account SET note = 'gone'"),
    ],
}
"""What must be found, by the rule that must find it; other rules may find something too."""

SILENT: dict[str, list[Example]] = {
    "table-rewrite": [
        Example(
            "ALTER TABLE account ADD COLUMN made timestamptz NOT NULL DEFAULT now()",
            "ALTER TABLE account DROP COLUMN made",
        ),
        Example("CREATE TABLE tag (id integer)\nALTER TABLE tag ALTER COLUMN id TYPE bigint", DROP_NEW_TABLE),
    ],
    "index-rebuild-blocking": [
        Example(alone("REINDEX INDEX CONCURRENTLY account_seen")),
        Example(
            "ALTER INDEX account_seen RENAME TO account_seen_at", "ALTER INDEX account_seen_at RENAME TO account_seen"
        ),
    ],
    "index-build-blocking": [
        Example(build("account_age", "account (age)"), "DROP INDEX account_age"),
        Example(NEW_TABLE + "\nCREATE INDEX tag_name ON tag (name)", DROP_NEW_TABLE),
    ],
    "unique-build-blocking": [
        Example(
            build("u", "account (id, age)", "UNIQUE ")
            + 'op.execute("ALTER TABLE account ADD CONSTRAINT u UNIQUE USING INDEX u")',
            "ALTER TABLE account DROP CONSTRAINT u",
        ),
    ],
    "check-scan-blocking": [Example(CHECK_TWO_STEPS, "ALTER TABLE account DROP CONSTRAINT age_known")],
    "fk-scan-blocking": [
        Example("ALTER TABLE orders ADD COLUMN by bigint REFERENCES account", "ALTER TABLE orders DROP COLUMN by"),
        Example("CREATE TABLE tag (id bigint PRIMARY KEY, account_id bigint REFERENCES account)", DROP_NEW_TABLE),
    ],
    "not-null-scan-blocking": [Example(NOT_NULL_STEPS, NOT_NULL_BACK)],
    "scan-while-locked": [
        Example(CHECK_TWO_STEPS, "ALTER TABLE account DROP CONSTRAINT age_known"),
        Example(ADD_COLUMN + "\nSELECT email FROM account WHERE id = 3", DROP_ADDED),
    ],
    "partition-attach-scan": [
        Example(
            "ALTER TABLE event ATTACH PARTITION event_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
            "with op.get_context().autocommit_block():\n"
            '    op.execute("ALTER TABLE event DETACH PARTITION event_2027 CONCURRENTLY")\n'
            'op.execute("ALTER TABLE event_2027 DROP CONSTRAINT IF EXISTS event_2027_happened_check1")',
            setup="ALTER TABLE event_2027 ADD CHECK (happened >= '2027-01-01' AND happened < '2028-01-01')",
        ),
        Example(
            "CREATE TABLE event_2028 PARTITION OF event FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')",
            "DROP TABLE event_2028",
        ),
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
        Example(NOT_NULL_STEPS, NOT_NULL_BACK),
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
    "replaced-view": [
        Example(
            "CREATE OR REPLACE VIEW big_orders AS SELECT id, total, account_id FROM orders",
            "DROP VIEW big_orders\nCREATE VIEW big_orders AS SELECT id, total FROM orders",
        ),
    ],
    "truncate": [Example(NEW_TABLE + "\nINSERT INTO tag (name) VALUES ('a')\nTRUNCATE tag", DROP_NEW_TABLE)],
    "cascade-drop": [
        Example(NEW_TABLE + "\nCREATE VIEW tags AS SELECT * FROM tag\nDROP VIEW tags\nDROP TABLE tag"),
    ],
    "composite-index-dropped": [
        Example(ADD_COLUMN, DROP_ADDED, setup="CREATE INDEX account_x ON account (age, code)"),
    ],
    "lossy-type-change": [
        Example(NEW_TABLE + "\nALTER TABLE tag ALTER COLUMN name TYPE varchar(20)", DROP_NEW_TABLE),
    ],
    "unbatched-backfill": [Example(BATCHES), Example("UPDATE account SET note = 'x' WHERE id = 3 AND note IS NULL")],
    "backfill-in-ddl-transaction": [
        Example(ADD_COLUMN + "\nUPDATE account SET nick = 'x' WHERE id = 3", DROP_ADDED),
        Example(NEW_TABLE + "\nINSERT INTO tag (name) VALUES ('a'), ('b')\nUPDATE tag SET name = 'c'", DROP_NEW_TABLE),
    ],
    "downgrade-missing": [Example("SELECT 1")],
    "downgrade-not-symmetric": [
        Example(
            "CREATE TYPE mood AS ENUM ('ok')\nCREATE TABLE tag (id bigint PRIMARY KEY, mood mood)",
            "DROP TABLE tag\nDROP TYPE mood",
        ),
    ],
    "downgrade-data-loss": [Example("UPDATE account SET note = '' WHERE note IS NULL AND id > 0 AND id < 1000")],
}
"""What must stay silent: no error and no warning of any rule."""
