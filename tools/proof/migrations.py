"""Faults of a migration: what stops production, fails there, breaks the release that runs, or loses data."""

from __future__ import annotations

from tools.proof.blocks import HAZARDS, LISTED, PLANTED, STAIRWAY, alone, revision, sql
from tools.proof.change import Change, Edit

HISTORY = "tests/migrations/test_history.py"
RELEASED = ("tests/migrations/test_released.py",)
SECOND_REVISION = "migrations/versions/2026_11_24_0002_tags.py"
EMPTY = (
    "CREATE TABLE lists (id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_lists PRIMARY KEY, name text NOT NULL)"
)
FOLLOWING = 'down_revision: str | tuple[str, ...] | None = "HEAD_REVISION"'


def traced(rule: str, done: str, upgrade: str, downgrade: str, planted: str = "") -> Change:
    """A fault that is found while the revision runs on rows; SQL, or Python where it begins with `op.` or `with`."""
    steps = [
        text if text.startswith(("op.", "with ", "pass")) else sql(*text.split("; ")) for text in (upgrade, downgrade)
    ]
    return Change(planted or rule, done, revision(*steps), HAZARDS, rule)


def read(rule: str, done: str, upgrade: str, more: str = "") -> Change:
    """A fault that is found by reading the revision."""
    return Change(rule, done, revision(upgrade, "pass", more), HAZARDS, rule)


def branched() -> tuple[Edit, Edit]:
    """Return a revision next to the head, with the same predecessor."""
    planted, _ = revision(sql(EMPTY), sql("DROP TABLE lists"))
    below = planted.new.replace(FOLLOWING, FOLLOWING.replace("HEAD_REVISION", "0002"))
    return Edit(PLANTED, "", below), LISTED


ADD, DROP = "ALTER TABLE todos ADD COLUMN nick {}", "ALTER TABLE todos DROP COLUMN nick"
CHECK = "ALTER TABLE todos ADD CONSTRAINT ck_todos_key CHECK (id > 0)"
UNCHECK = "ALTER TABLE todos DROP CONSTRAINT ck_todos_key"

BLOCKING = (
    traced(
        "index-build-blocking",
        "an index built under a lock that blocks writes",
        'op.create_index("ix_todos_title", "todos", ["title"])',
        'op.drop_index_concurrently("ix_todos_title", "todos")',
    ),
    traced(
        "unique-build-blocking",
        "a UNIQUE constraint added with its index",
        "ALTER TABLE todos ADD CONSTRAINT uq_todos_title_id UNIQUE (title, id)",
        "ALTER TABLE todos DROP CONSTRAINT uq_todos_title_id",
    ),
    traced("check-scan-blocking", "a CHECK validated under an exclusive lock", CHECK, UNCHECK),
    traced(
        "fk-scan-blocking",
        "a foreign key validated under a lock that blocks writes",
        "ALTER TABLE todos ADD CONSTRAINT fk_todos_again FOREIGN KEY (owner_id) REFERENCES users (id)",
        "ALTER TABLE todos DROP CONSTRAINT fk_todos_again",
    ),
    traced(
        "table-rewrite",
        "a type changed, which rewrites every row",
        "ALTER TABLE todos ALTER COLUMN title TYPE varchar(900)",
        "ALTER TABLE todos ALTER COLUMN title TYPE text",
    ),
    traced(
        "type-change-breaks-prepared",
        "a type changed under prepared statements of the running release",
        "ALTER TABLE todos ALTER COLUMN created_at TYPE timestamp",
        "ALTER TABLE todos ALTER COLUMN created_at TYPE timestamptz",
    ),
    traced(
        "table-rewrite",
        "a column with a volatile default",
        ADD.format("uuid NOT NULL DEFAULT gen_random_uuid()"),
        DROP,
        "volatile-default",
    ),
    traced(
        "no-lock-timeout", "lock_timeout switched off", "SET lock_timeout = 0; ALTER TABLE todos ADD nick text", DROP
    ),
    Change(
        "no-limit-in-one-string",
        "lock_timeout switched off in the same string as the command",
        revision(sql("SET lock_timeout = 0; ALTER TABLE todos ADD COLUMN nick text"), sql(DROP)),
        HAZARDS,
        "no-lock-timeout",
    ),
    traced(
        "drop-index-blocking",
        "an index dropped in a transaction",
        "DROP INDEX ix_todos_done_id",
        'op.create_index_concurrently("ix_todos_done_id", "todos", ["done", "id"])',
    ),
    traced(
        "multi-table-exclusive-locks",
        "two tables locked in one transaction",
        "ALTER TABLE todos ADD COLUMN nick text; ALTER TABLE users ADD COLUMN nick text",
        "ALTER TABLE users DROP COLUMN nick; ALTER TABLE todos DROP COLUMN nick",
    ),
)

FAILING = (
    traced("required-column-added", "a NOT NULL column without a default", ADD.format("text NOT NULL"), DROP),
    traced(
        "fails-on-existing-data",
        "NOT NULL on a column that has NULLs",
        "ALTER TABLE todos ALTER COLUMN due_at SET NOT NULL",
        "ALTER TABLE todos ALTER COLUMN due_at DROP NOT NULL",
    ),
    traced(
        "concurrently-in-transaction",
        "CONCURRENTLY inside a transaction",
        "CREATE INDEX CONCURRENTLY ix_todos_title ON todos (title)",
        "DROP INDEX ix_todos_title",
    ),
    traced(
        "partial-apply",
        "two steps outside a transaction that cannot run again after the first",
        alone(ADD.format("text"), "ALTER TABLE todos ADD COLUMN nack text"),
        "ALTER TABLE todos DROP COLUMN nack, DROP COLUMN nick",
    ),
    traced("transaction-control", "COMMIT in the middle of a revision", "COMMIT", "pass"),
)

RELEASES = (
    traced(
        "rename-column",
        "a column renamed that the running release uses",
        'op.alter_column("todos", "title", new_column_name="name")',
        'op.alter_column("todos", "name", new_column_name="title")',
    ),
    traced("rename-table", "a table renamed", 'op.rename_table("tags", "labels")', 'op.rename_table("labels", "tags")'),
    traced(
        "drop-column",
        "a column dropped that the running release still reads",
        'op.drop_column("todos", "due_at")',
        ADD.format("").replace("nick", "due_at") + "timestamptz",
    ),
    traced(
        "drop-table",
        "a table dropped in the release that stops using it",
        "DROP MATERIALIZED VIEW tags_in_use; DROP TABLE todo_tags",
        "pass",
    ),
    traced(
        "old-insert-breaks",
        "a default dropped that inserts of the running release rely on",
        "ALTER TABLE todos ALTER COLUMN done DROP DEFAULT",
        "ALTER TABLE todos ALTER COLUMN done SET DEFAULT false",
    ),
    traced(
        "drop-not-null",
        "NOT NULL dropped from a column that the running release relies on",
        "ALTER TABLE todos ALTER COLUMN title DROP NOT NULL",
        'op.add_not_null("todos", "title")',
    ),
)

LOSING = (
    traced("unbatched-backfill", "all rows updated in one statement", "UPDATE todos SET title = trim(title)", "pass"),
    traced(
        "backfill-in-ddl-transaction",
        "rows updated while the table is locked by the same transaction",
        "ALTER TABLE todos ADD COLUMN nick text; UPDATE todos SET nick = title",
        DROP,
    ),
    Change(
        "backfill-in-one-string",
        "the same two commands in one string",
        revision(sql("ALTER TABLE todos ADD COLUMN nick text; UPDATE todos SET nick = title"), sql(DROP)),
        HAZARDS,
        "backfill-in-ddl-transaction",
    ),
    traced("truncate", "a table emptied", "TRUNCATE todo_tags", "pass"),
    traced(
        "cascade-drop", "a drop with CASCADE, which also drops what depends on it", "DROP TABLE tags CASCADE", "pass"
    ),
    traced("downgrade-missing", "a downgrade that is only `pass`", ADD.format("text"), "pass"),
    traced(
        "downgrade-not-symmetric",
        "a downgrade that forgets an index",
        f"{EMPTY}; CREATE INDEX ix_lists_name ON lists (name); CREATE TABLE shelves (id bigint PRIMARY KEY)",
        "DROP TABLE lists",
    ),
    Change(
        "downgrade-leaves-a-trace",
        "a downgrade that forgets a table",
        revision(sql(EMPTY, "CREATE TABLE shelves (id bigint PRIMARY KEY)"), sql("DROP TABLE lists")),
        STAIRWAY,
        f"{STAIRWAY[0]}::test_every_step_back_restores_exactly_what_was_there",
    ),
)

READ = (
    read(
        "not-robust",
        "a step before one that leaves the transaction, which cannot run again when that one fails",
        sql("ALTER TABLE todos ADD COLUMN nick text") + "\n"
        'op.create_index_concurrently("ix_todos_nick", "todos", ["nick"])',
    ),
    read(
        "imports-app-models",
        "a revision that uses the app's models, which change later",
        "op.execute(sa.select(Todo))",
        "\nfrom sealy.db.todos import Todo\n",
    ),
    read(
        "time-or-random-in-revision",
        "a revision that reads the clock, so that databases differ",
        "op.execute(f\"COMMENT ON TABLE todos IS 'made {datetime.now()}'\")",
        "\nfrom datetime import datetime\n",
    ),
    read(
        "sql-in-fstring",
        "SQL put together from a value",
        "for name in op.get_bind().scalars(sa.text('SELECT title FROM todos')):\n"
        "    op.execute(f\"UPDATE todos SET title = '{name}' WHERE title = '{name}'\")",
    ),
)

ORDER = (
    Change(
        "edited-history",
        "a released revision edited instead of a new one written",
        (Edit(SECOND_REVISION, "BETWEEN 1 AND 50", "BETWEEN 1 AND 60"),),
        RELEASED,
        "edited-history",
    ),
    Change("non-linear", "a revision inserted before released ones", branched(), RELEASED, "non-linear"),
    Change(
        "two-heads",
        "two revisions with the same predecessor",
        branched(),
        (f"{HISTORY}::test_single_head_revision",),
        "the history has 2 heads: 0006 and 0007",
    ),
    Change(
        "head-stale",
        "a revision that the app does not wait for",
        revision(sql(EMPTY), sql("DROP TABLE lists"))[:1],
        (f"{HISTORY}::test_the_app_waits_for_the_newest_revision",),
        f"{HISTORY}::test_the_app_waits_for_the_newest_revision",
    ),
    Change(
        "env-without-advisory-lock",
        "replicas that start together all migrate at once",
        (Edit("migrations/env.py", "SELECT pg_try_advisory_lock(:key),", "SELECT :key > 0,"),),
        ("tests/migrations/test_lock.py::test_a_second_process_waits_and_then_finds_nothing_to_do",),
        "tests/migrations/test_lock.py::test_a_second_process_waits_and_then_finds_nothing_to_do",
    ),
    Change(
        "env-without-lock-timeout",
        "lock_timeout removed from env.py",
        (Edit("migrations/env.py", 'LOCK_TIMEOUT = "5s"', 'LOCK_TIMEOUT = "0"'),),
        ("tests/migrations/test_hazards.py::test_a_revision_does_no_harm[0005]",),
        "no-lock-timeout",
    ),
)

FAULTS = BLOCKING + FAILING + RELEASES + LOSING + READ + ORDER
