"""Values that are lost, and the way back: what must be found, and what must stay silent."""

from __future__ import annotations

from tests.harness.migrations.examples.bodies import (
    ADD_COLUMN,
    BATCHES,
    BLOCK,
    BLOCK_OF_BATCHES,
    DROP_ADDED,
    DROP_NEW_TABLE,
    NEW_TABLE,
    RANGES,
)
from tests.harness.migrations.workbench import Example

BREAKS: dict[str, list[Example]] = {
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
        Example("UPDATE account SET note = 'x' WHERE note IS NULL"),
        Example("UPDATE account SET note = 'x' WHERE seen > '2000-01-01'"),
        Example("UPDATE account SET note = 'x' WHERE state = 'open'", setup="CREATE INDEX ON account (state)"),
        Example("UPDATE account SET note = 'x' /* no LIMIT 5 here */"),
        Example("UPDATE account SET note = 'LIMIT 50'"),
        Example("UPDATE account SET note = 'x' WHERE id > 0 AND id < 9223372036854775807"),
        Example("UPDATE account SET note = 'x' WHERE age >= -2147483648 AND age < 90000 OR age IS NULL"),
        Example("UPDATE account SET note = (SELECT name FROM account ORDER BY id LIMIT 1)"),
        Example("UPDATE account SET note = (SELECT max(name) FROM (SELECT name FROM account LIMIT 500) few)"),
        Example(
            """
            bind = op.get_bind()
            bind.execute(
                sa.text("UPDATE account SET note = 'x' WHERE id > :after AND id < :last"), {"after": 0, "last": 2**62}
            )
            """
        ),
        Example(
            """
            bind = op.get_bind()
            for (number,) in bind.execute(sa.text("SELECT id FROM account")).fetchall():
                bind.execute(sa.text("UPDATE account SET note = 'x' WHERE id = :id"), {"id": number})
            """
        ),
        Example(RANGES.replace("with op.get_context().autocommit_block()", "if True").replace("1000", "5")),
        Example(BLOCK + "op.execute(\"UPDATE account SET note = 'x'\")\n" * 2),
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

SILENT: dict[str, list[Example]] = {
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
    "unbatched-backfill": [
        Example(BATCHES),
        Example("UPDATE account SET note = 'x' WHERE id = 3 AND note IS NULL"),
        Example("UPDATE account SET note = note WHERE id IN (3, 4)\nUPDATE account SET note = note WHERE id = 5"),
        Example("UPDATE account SET note = note WHERE id BETWEEN 1 AND 1000"),
        Example("UPDATE account SET note = 'x' WHERE note IS NULL AND id > 0 AND id < 1000"),
        Example("UPDATE account SET note = note WHERE name = 'nobody'"),
        Example(RANGES),
        Example(BLOCK_OF_BATCHES),
    ],
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
