"""Builds, scans and rewrites under a lock: what must be found, and what must stay silent."""

from __future__ import annotations

from tests.harness.migrations.examples.bodies import (
    BLOCK,
    CHECK_TWO_STEPS,
    DROP_ADDED,
    DROP_NEW_TABLE,
    NEW_TABLE,
    NOT_NULL_BACK,
    NOT_NULL_STEPS,
    alone,
    build,
)
from tests.harness.migrations.workbench import Example

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
    "partition-attach-scan": [
        Example(
            "ALTER TABLE event ATTACH PARTITION event_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
            "ALTER TABLE event DETACH PARTITION event_2027",
        ),
    ],
}

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
}
