"""Changes that a team makes every week, and that no test may stop."""

from __future__ import annotations

from tools.proof.blocks import DRIFT, HAZARDS, STAIRWAY, alone, column, notes, revision, sql
from tools.proof.change import Change, Edit
from tools.proof.queries import FOUR_MORE, READ, after

TODOS = "src/sealy/db/todos.py"
USERS = "src/sealy/api/users.py"
RULES = ("tests/schema/test_rules.py",)
MIGRATED = (*HAZARDS, *STAIRWAY, *RULES, *DRIFT)
CREATED = ("tests/api/test_users.py::test_a_user_is_created_and_read_back",)
LOCK = ("tests/migrations/test_lock.py",)
RELEASED = ("tests/migrations/test_released.py",)

ROUTE = '''@router.get("/{user_id}/todos", summary="Count a user's todos", responses=problems(422, 503))
def count_todos(user_id: Id, reads: Reads) -> int:
    """How many there are."""
    with reads.connect() as connection:
        query = "SELECT count(*) FROM todos WHERE owner_id = %s"
        return int(connection.exec_driver_sql(query, (user_id,)).scalar_one())


@router.get("/{user_id}", summary="Read a user"'''
EXAMPLE = '    "POST /v1/todos": lambda api:'
COUNTED = '    "GET /v1/users/{user_id}/todos": lambda api: api.build_request("GET", f"/v1/users/{user(api)}/todos"),\n'
RICH_TEST = '''"""A user with all that belongs to one."""

import pytest


@pytest.mark.query_budget(5, reason="a report of the year, which is asked for once a month")
def test_a_rich_user(api):
    """Five queries, as many as its budget allows."""
    user = api.seed("users", [{"email": "ada@example.org"}])[0]["id"]
    assert api.get(f"/v1/users/{user}").status_code == 200
'''
EXEMPTED = """
[[tool.harness.exemptions]]
rule = "column-varchar-n"
object = "public.notes.code"
reason = "the partner's file format has fields of eight characters"

[tool.alembic]
"""
EXEMPTION = """
exemptions = {
    "unbatched-backfill:public.todos": "there are four hundred rows, counted on the day of the release",
    "downgrade-data-loss:public.todos.done": "the year is over, and so is all that was left of it",
}
"""


def migrated(name: str, done: str, *edits: Edit) -> Change:
    """A change with a migration; the suites of migrations and schema must pass."""
    return Change(name, done, edits, MIGRATED)


def added(line: str, declaration: str, name: str) -> tuple[Edit, ...]:
    """A column of todos with its migration."""
    return (
        column(line),
        *revision(sql(f"ALTER TABLE todos ADD COLUMN {declaration}"), sql(f"ALTER TABLE todos DROP COLUMN {name}")),
    )


SCHEMA = (
    migrated("nullable-column", "a nullable column", *added("note: Mapped[str | None]", "note text", "note")),
    migrated(
        "column-with-default",
        "a NOT NULL column with a constant default",
        *added(
            'colour: Mapped[str] = mapped_column(server_default="red")', "colour text NOT NULL DEFAULT 'red'", "colour"
        ),
    ),
    migrated("table", "a table with a foreign key and its index", *notes()),
    Change(
        "index-concurrently",
        "an index built while the table is written to",
        (
            Edit(
                TODOS,
                '        Index(None, "done", "id"),\n',
                '        Index(None, "done", "id"),\n        Index(None, "due_at"),\n',
            ),
            *revision(
                'op.create_index_concurrently("ix_todos_due_at", "todos", ["due_at"])',
                'op.drop_index_concurrently("ix_todos_due_at", "todos")',
            ),
        ),
        (*MIGRATED, *LOCK),
    ),
    migrated(
        "comment",
        "a comment on a table",
        Edit("src/sealy/db/users.py", 'name="email_length"),)', 'name="email_length"), {"comment": "People"})'),
        *revision(sql("COMMENT ON TABLE users IS 'People'"), sql("COMMENT ON TABLE users IS NULL")),
    ),
    migrated(
        "check-in-two-steps",
        "a CHECK added without looking at the rows, then validated while they are written to",
        Edit(
            TODOS,
            '        Index(None, "owner_id", "id"),\n',
            '        CheckConstraint("id > 0", name="key"),\n        Index(None, "owner_id", "id"),\n',
        ),
        *revision(
            alone(
                "ALTER TABLE todos DROP CONSTRAINT IF EXISTS ck_todos_key,"
                " ADD CONSTRAINT ck_todos_key CHECK (id > 0) NOT VALID",
                "ALTER TABLE todos VALIDATE CONSTRAINT ck_todos_key",
            ),
            sql("ALTER TABLE todos DROP CONSTRAINT ck_todos_key"),
        ),
    ),
    migrated(
        "longer-text",
        "a limit raised, in model and migration",
        Edit(TODOS, "BETWEEN 1 AND 500", "BETWEEN 1 AND 900"),
        *revision(
            'op.replace_check("todos", "ck_todos_title_length", "char_length(title) BETWEEN 1 AND 900")',
            'op.replace_check("todos", "ck_todos_title_length", "char_length(title) BETWEEN 1 AND 500")',
        ),
    ),
    migrated(
        "backfill-in-batches",
        "rows corrected in batches",
        *revision(
            'op.update_in_batches("todos", "UPDATE todos SET title = btrim(title)'
            " WHERE title <> btrim(title) AND btrim(title) <> '' AND id > :after AND id <= :last\")",
            "pass  # the longer texts were cut",
        ),
    ),
    Change(
        "schema-exemption",
        "a rule broken with a reason, in pyproject.toml",
        (
            *notes(("code: Mapped[str] = mapped_column(sa.String(8))", "code varchar(8) NOT NULL")),
            Edit("pyproject.toml", "\n[tool.alembic]\n", EXEMPTED),
        ),
        (*RULES, *DRIFT),
    ),
    Change(
        "exemption",
        "a finding accepted with a reason, in the revision",
        revision(sql("UPDATE todos SET done = true"), "pass", EXEMPTION),
        HAZARDS,
    ),
    Change(
        "docstring-of-released",
        "the docstring and a comment of a released revision corrected",
        (
            Edit(
                "migrations/versions/2026_11_24_0002_tags.py",
                '"""Tags, and the tags on todos.\n',
                '"""Tags of users, and which todos carry them.\n',
            ),
        ),
        RELEASED,
    ),
)

CODE = (
    Change(
        "route-within-budget",
        "a route with one query, and its example",
        (
            Edit(USERS, '@router.get("/{user_id}", summary="Read a user"', ROUTE),
            Edit("tests/api/examples.py", EXAMPLE, COUNTED + EXAMPLE),
        ),
        (
            "tests/api/test_objectives.py::test_a_route_keeps_the_objective[GET /v1/users/{user_id}/todos]",
            "tests/api/test_objectives.py::test_no_example_outlives_its_route",
            "tests/api/test_problems.py",
        ),
    ),
    Change(
        "variable-renamed",
        "a variable renamed",
        (
            Edit(
                USERS,
                '        row = connection.execute(CREATE_USER, {"email": user.email}).one()\n'
                '    response.headers["Location"] = f"/v1/users/{row.id}"\n'
                "    return UserOut.model_validate(row)\n",
                '        made = connection.execute(CREATE_USER, {"email": user.email}).one()\n'
                '    response.headers["Location"] = f"/v1/users/{made.id}"\n'
                "    return UserOut.model_validate(made)\n",
            ),
        ),
        CREATED,
    ),
    Change(
        "comment-in-code",
        "a comment in a handler",
        (Edit(USERS, '    """One user."""\n', '    """One user."""\n    # By its key.\n'),),
        CREATED,
    ),
    Change(
        "second-query",
        "a second, different query in one request",
        (
            Edit(
                USERS,
                '        row = connection.execute(READ_USER, {"id": user_id}).one_or_none()\n',
                '        row = connection.execute(READ_USER, {"id": user_id}).one_or_none()\n'
                '        connection.exec_driver_sql("SELECT id FROM todos WHERE owner_id = %s LIMIT 1", (user_id,))\n',
            ),
        ),
        CREATED,
    ),
    Change(
        "budget-raised",
        "a test with its own budget and a reason",
        (after(USERS, READ, FOUR_MORE), Edit("tests/api/test_rich_user.py", "", RICH_TEST)),
        ("tests/api/test_rich_user.py",),
    ),
    Change(
        "larger-pool",
        "a pool of eight connections",
        (Edit("src/sealy/settings.py", "pool_size: int = Field(default=5,", "pool_size: int = Field(default=8,"),),
        ("tests/api/test_connections.py", "tests/api/test_settings.py"),
    ),
    Change(
        "shorter-pages",
        "pages of twenty instead of fifty",
        (
            Edit(
                "src/sealy/schemas/pages.py",
                'limit: int = Field(default=50, ge=1, le=100, description="Items per page")',
                'limit: int = Field(default=20, ge=1, le=100, description="Items per page")',
            ),
        ),
        ("tests/api/test_growth.py", "tests/api/test_todo_list.py"),
    ),
    Change(
        "setting",
        "a setting with a default",
        (
            Edit(
                "src/sealy/settings.py",
                "    metrics: bool = True\n",
                '    metrics: bool = True\n    region: str = ""\n',
            ),
        ),
        ("tests/api/test_settings.py", *CREATED),
    ),
    Change(
        "required-secret",
        "a secret without a default, which the tests are given",
        (
            Edit(
                "src/sealy/settings.py",
                "    metrics: bool = True\n",
                "    api_key: SecretStr\n    metrics: bool = True\n",
            ),
            Edit(
                "pyproject.toml",
                'database-env = "APP_DATABASE_URL"\n',
                'database-env = "APP_DATABASE_URL"\nenvironment = { APP_API_KEY = "key for tests" }\n',
            ),
        ),
        ("tests/api/test_settings.py", *LOCK, *CREATED),
    ),
)

HARMLESS = SCHEMA + CODE
