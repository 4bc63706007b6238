"""Faults of the schema that production would have."""

from __future__ import annotations

from tools.proof.blocks import INDEX, Pair, notes, revision, sql
from tools.proof.change import Change, Edit

ROLES = "deploy/db/roles.sql"


def rule(name: str, done: str, edits: tuple[Edit, ...], planted: str = "") -> Change:
    """A fault that the schema rule of this name finds."""
    return Change(planted or name, done, edits, (f"tests/schema/test_rules.py::test_rule[{name}]",), name)


def typed(name: str, done: str, annotation: str, type_: str, declared: str, default: str = "") -> Change:
    """A fault in the type of one column, `extra`."""
    line = f"extra: Mapped[{annotation}] = mapped_column({declared})"
    return rule(name, done, notes((line, f"extra {type_} NOT NULL{default}")))


UNINDEXED: Pair = ("", "")
SECOND = "CREATE INDEX ix_notes_again ON notes (owner_id)"
SECOND_MODEL = 'sa.Index(None, "owner_id"), sa.Index("ix_notes_again", "owner_id")'
PAIRS = """CREATE TABLE follows (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_follows PRIMARY KEY,
    todo_id bigint NOT NULL CONSTRAINT fk_follows_todo_id_todos REFERENCES todos (id) ON DELETE CASCADE,
    tag_id bigint NOT NULL CONSTRAINT fk_follows_tag_id_tags REFERENCES tags (id) ON DELETE CASCADE
)"""
FUNCTION = "CREATE FUNCTION whoami() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user'"
TRIGGER = (
    "CREATE TRIGGER same BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
)

FAULTS = (
    rule("foreign-key-without-index", "a table whose foreign key has no index", notes(index=UNINDEXED)),
    rule(
        "foreign-key-missing",
        "a column user_id without a foreign key",
        notes(("user_id: Mapped[int]", "user_id bigint NOT NULL")),
    ),
    rule(
        "foreign-key-missing",
        "a column owner_id without a foreign key, though owner_id of two other tables has one",
        notes(owner=("owner_id: Mapped[int]", "owner_id bigint NOT NULL")),
        "owner-refers-to-nothing",
    ),
    rule(
        "foreign-key-type-mismatch",
        "an integer that refers to a bigint",
        notes(
            owner=(
                'owner_id: Mapped[int] = mapped_column(sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"))',
                "owner_id integer NOT NULL CONSTRAINT fk_notes_owner_id_users REFERENCES users (id) ON DELETE CASCADE",
            )
        ),
    ),
    rule(
        "foreign-key-duplicate",
        "the same foreign key twice",
        notes(
            ("", ""),
            "ALTER TABLE notes ADD CONSTRAINT fk_again FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE",
        ),
    ),
    typed("column-timestamp-without-time-zone", "a time without its zone", "datetime", "timestamp", "sa.DateTime"),
    typed("column-json", "json where jsonb belongs", "dict[str, str]", "json", "sa.JSON"),
    typed("column-varchar-n", "a length limit in the type", "str", "varchar(80)", "sa.String(80)"),
    typed("column-char-n", "a type that pads with spaces", "str", "char(3)", "sa.CHAR(3)"),
    typed("column-money", "the type money", "str", "money", "postgresql.MONEY"),
    rule(
        "column-money-as-float",
        "a price as a floating-point number",
        notes(("price: Mapped[float] = mapped_column(sa.Double)", "price double precision NOT NULL")),
    ),
    rule(
        "column-boolean-nullable",
        "a boolean that may be NULL",
        notes(("pinned: Mapped[bool | None]", "pinned boolean DEFAULT false")),
    ),
    rule(
        "default-frozen-timestamp",
        "a default that is the moment of the migration",
        notes(
            (
                "made_at: Mapped[datetime] = mapped_column(server_default=sa.text(\"'2026-11-24 00:00+00'\"))",
                "made_at timestamptz NOT NULL DEFAULT 'now'",
            )
        ),
    ),
    rule(
        "column-serial",
        "a serial key",
        notes(
            key=("id: Mapped[int] = mapped_column(primary_key=True)", "id bigserial CONSTRAINT pk_notes PRIMARY KEY")
        ),
    ),
    rule(
        "primary-key-too-small",
        "an integer key, which ends at two billion rows",
        notes(
            key=(
                "id: Mapped[int] = mapped_column(sa.Integer, sa.Identity(always=True), primary_key=True)",
                "id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_notes PRIMARY KEY",
            )
        ),
    ),
    rule(
        "table-without-primary-key",
        "a table without a primary key",
        revision(
            sql("CREATE TABLE visits (path text NOT NULL, seen_at timestamptz NOT NULL DEFAULT now())"),
            sql("DROP TABLE visits"),
        ),
    ),
    rule(
        "index-duplicate", "the same index under a second name", notes(("", ""), SECOND, index=(SECOND_MODEL, INDEX[1]))
    ),
    rule(
        "index-redundant",
        "an index that another one begins with",
        notes(
            ("", ""),
            "CREATE INDEX ix_notes_owner_id_body ON notes (owner_id, body)",
            index=('sa.Index(None, "owner_id"), sa.Index(None, "owner_id", "body")', INDEX[1]),
        ),
    ),
    rule(
        "index-on-boolean",
        "an index over a boolean alone",
        notes(
            (
                "pinned: Mapped[bool] = mapped_column(server_default=sa.false())",
                "pinned boolean NOT NULL DEFAULT false",
            ),
            "CREATE INDEX ix_notes_pinned ON notes (pinned)",
        ),
    ),
    rule(
        "name-needs-quotes",
        "a column whose name always needs quotes",
        notes(('extra: Mapped[str] = mapped_column("dueBy")', '"dueBy" text NOT NULL')),
    ),
    rule(
        "constraint-not-valid",
        "a CHECK that was never validated",
        notes(("", ""), "ALTER TABLE notes ADD CONSTRAINT ck_notes_body CHECK (body <> '') NOT VALID"),
    ),
    rule(
        "unique-lets-nulls-through",
        "a UNIQUE over a column that may be NULL",
        notes(
            ("slug: Mapped[str | None]", "slug text"),
            "ALTER TABLE notes ADD CONSTRAINT uq_notes_owner_id_slug UNIQUE (owner_id, slug)",
        ),
    ),
    rule(
        "column-should-be-citext",
        "a second e-mail address, in which capitals make a difference",
        notes(
            ("email: Mapped[str] = mapped_column(unique=True)", "email text NOT NULL CONSTRAINT uq_notes_email UNIQUE")
        ),
    ),
    rule(
        "join-table-pair-not-unique",
        "a join table that takes the same pair twice",
        revision(
            sql(
                PAIRS,
                "CREATE INDEX ix_follows_todo_id ON follows (todo_id)",
                "CREATE INDEX ix_follows_tag_id ON follows (tag_id)",
            ),
            sql("DROP TABLE follows"),
        ),
    ),
    rule("table-unlogged", "a table that a crash empties", notes(("", ""), "ALTER TABLE notes SET UNLOGGED")),
    rule("grant-to-public", "a grant to PUBLIC", notes(("", ""), "GRANT SELECT ON notes TO PUBLIC")),
    rule(
        "trigger-disabled",
        "a trigger that was left disabled",
        notes(("", ""), TRIGGER, "ALTER TABLE notes DISABLE TRIGGER same"),
    ),
    rule(
        "security-definer-without-search-path",
        "a function with its owner's rights and the caller's search_path",
        revision(sql(FUNCTION), sql("DROP FUNCTION whoami()")),
    ),
    rule(
        "rls-without-policy",
        "row security without a policy",
        notes(("", ""), "ALTER TABLE notes ENABLE ROW LEVEL SECURITY"),
    ),
    rule(
        "matview-without-unique-index",
        "a materialized view that can only be refreshed under a lock",
        revision(
            sql("CREATE MATERIALIZED VIEW busy AS SELECT owner_id, count(*) AS todos FROM todos GROUP BY owner_id"),
            sql("DROP MATERIALIZED VIEW busy"),
        ),
    ),
    rule(
        "schema-public-create",
        "every role may create tables in public",
        (Edit(ROLES, "'REVOKE CREATE ON SCHEMA public FROM PUBLIC'", "'GRANT CREATE ON SCHEMA public TO PUBLIC'"),),
    ),
)
