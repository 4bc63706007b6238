"""Bodies of revisions that several examples share."""

from __future__ import annotations

BLOCK = "with op.get_context().autocommit_block():\n    "
BATCHES = """
with op.get_context().autocommit_block():
    bind = op.get_bind()
    while bind.execute(sa.text(
        "UPDATE account SET note = '' WHERE id IN (SELECT id FROM account WHERE note IS NULL LIMIT 5)"
    )).rowcount:
        pass
"""
RANGES = """
with op.get_context().autocommit_block():
    bind = op.get_bind()
    after = -(2**63)
    while last := bind.scalar(
        sa.text("SELECT max(id) FROM (SELECT id FROM account WHERE id > :after ORDER BY id LIMIT 1000) batch"),
        {"after": after},
    ):
        bind.execute(
            sa.text(
                '''
                UPDATE account SET note = note  -- one batch
                WHERE id > :after AND id <= :last
                '''
            ),
            {"after": after, "last": last},
        )
        after = last
"""
BLOCK_OF_BATCHES = """
with op.get_context().autocommit_block():
    op.execute(
        "DO $$ DECLARE done bigint := 0; BEGIN LOOP"
        " UPDATE account SET note = note WHERE id > done AND id <= done + 5; COMMIT;"
        " done := done + 5; EXIT WHEN done > 40; END LOOP; END $$"
    )
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
