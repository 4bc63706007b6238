"""A project whose database has everything that a schema can have."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from tests.harness.projects import ALEMBIC, harness_table, write_project, write_revision

SCHEMA = """
    CREATE TABLE item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE);
    CREATE TABLE part (id serial PRIMARY KEY, item_id bigint NOT NULL REFERENCES item ON DELETE CASCADE, weight int);
    CREATE INDEX part_item ON part (item_id);
    CREATE TABLE colour (id int PRIMARY KEY, name text NOT NULL);
    INSERT INTO colour VALUES (1, 'red'), (2, 'green');
    CREATE TABLE painted (colour_id int NOT NULL REFERENCES colour, item_id bigint);
    CREATE TABLE event (at date NOT NULL, note text) PARTITION BY RANGE (at);
    CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE UNLOGGED TABLE scratch (word text, picture text);
    CREATE SEQUENCE ticket START 100;
    SELECT nextval('ticket'), nextval('ticket');
    CREATE TABLE audited (id int);
    CREATE TABLE audit (id int);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        $f$ BEGIN INSERT INTO audit VALUES (1); RETURN OLD; END $f$;
    CREATE TRIGGER always AFTER DELETE ON audited FOR EACH ROW EXECUTE FUNCTION note();
    ALTER TABLE audited ENABLE ALWAYS TRIGGER always;
    CREATE TABLE ruled (id int);
    CREATE RULE keep AS ON DELETE TO ruled DO INSTEAD NOTHING;
    CREATE TABLE guarded (id int);
    ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
    ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
    CREATE MATERIALIZED VIEW heavy AS SELECT count(*) AS parts FROM part;
    CREATE TABLE "odd ""name"" %s {}" ("a 'b" text, words tsvector);
    CREATE INDEX ON "odd ""name"" %s {}" USING gin (words);
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
"""
"""What a template can hold: rows, partitions, unlogged tables, used sequences, triggers and rules that always fire."""

OPTIONS = """
[tool.pytest.ini_options]
addopts = ["-p", "no:cacheprovider"]
filterwarnings = ["error"]
"""
UPGRADE = """
from pathlib import Path
op.get_bind().exec_driver_sql(Path(__file__).with_name("schema.sql").read_text().replace("%", "%%"))
"""


def write_trial(root: Path, roles: Path) -> Config:
    """Write a project whose only revision runs `SCHEMA`."""
    table = harness_table("trial") + ALEMBIC + OPTIONS
    config = write_project(root, roles, table, {"migrations/versions/schema.sql": SCHEMA})
    write_revision(root / "migrations" / "versions", "0001", None, UPGRADE)
    return config
