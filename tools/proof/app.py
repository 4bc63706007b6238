"""Faults of the app's behaviour, of the roles, and of the tests themselves."""

from __future__ import annotations

from tools.proof.change import Change, Edit

SETTINGS = "src/sealy/settings.py"
TYPES = "src/sealy/schemas/types.py"
STATEMENTS = "src/sealy/db/statements.py"
TODOS = "src/sealy/api/todos.py"
ROLES = "deploy/db/roles.sql"
MIGRATIONS_ROLES = "tests/migrations/test_roles.py"


def behaviour(name: str, done: str, path: str, old: str, new: str, test: str) -> Change:
    """A fault that a plain test finds: the one that is run."""
    return Change(name, done, (Edit(path, old, new),), (test,), test)


def step(text: str) -> str:
    """One line of the steps that make the roles."""
    return f"        format('ALTER {text}),\n"


TABLE_RIGHTS = step("DEFAULT PRIVILEGES FOR ROLE %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', owner, app")
USAGE = "        format('GRANT USAGE ON SCHEMA public TO %I, %I', app, readonly),\n"
READONLY_RIGHTS = "'ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT SELECT ON TABLES TO %I', owner, readonly"

PROMISES = (
    behaviour(
        "nul-is-an-error",
        "a text that may hold NUL: 500 instead of 422",
        TYPES,
        "min_length=1, pattern=NO_NUL)",
        "min_length=1)",
        "tests/api/test_todos.py::test_a_field_out_of_bounds_is_refused_by_name",
    ),
    behaviour(
        "unknown-field-ignored",
        "unknown fields of a request ignored",
        TYPES,
        'ConfigDict(extra="forbid")',
        'ConfigDict(extra="ignore")',
        "tests/api/test_todo_list.py::test_a_query_that_is_not_valid_is_refused_by_name[unknown=1]",
    ),
    behaviour(
        "cursor-repeats",
        "a page that begins with the last row of the previous page",
        STATEMENTS,
        'Todo.id < bindparam("before")',
        'Todo.id <= bindparam("before")',
        "tests/api/test_todo_list.py::test_thousands_of_todos_are_each_listed_exactly_once[1000]",
    ),
    behaviour(
        "cursor-skips",
        "a cursor that skips a row",
        TODOS,
        'encode(items[-1]["id"])',
        'encode(items[-1]["id"] - 1)',
        "tests/api/test_todo_list.py::test_thousands_of_todos_are_each_listed_exactly_once[1000]",
    ),
    behaviour(
        "patch-writes-everything",
        "a change that also writes fields that the request left out",
        TODOS,
        "change.model_dump(exclude_unset=True)",
        "change.model_dump()",
        "tests/api/test_todos.py::test_a_change_writes_only_the_named_fields",
    ),
    behaviour(
        "conflict-is-an-error",
        "an address that is taken: 500 instead of 409",
        "src/sealy/api/conflicts.py",
        '"uq_users_email": "email", ',
        "",
        "tests/api/test_users.py::test_an_address_is_taken_in_any_case",
    ),
    behaviour(
        "pool-of-zero",
        "a pool of no connections accepted",
        SETTINGS,
        "Field(default=5, ge=1, le=40)",
        "Field(default=5, ge=0, le=40)",
        "tests/api/test_settings.py::test_all_wrong_settings_are_named_at_once",
    ),
    behaviour(
        "imports-alembic",
        "Alembic imported by the app: a quarter of a second at each start",
        "src/sealy/db/engine.py",
        "from sealy.db.head import REVISIONS\n",
        "import alembic.script  # noqa: F401\nfrom sealy.db.head import REVISIONS\n",
        "tests/sealy/test_import.py::test_importing_the_app_reads_no_settings_and_no_tools",
    ),
    behaviour(
        "not-ready-unnoticed",
        "ready on a database that lacks a migration",
        "src/sealy/db/engine.py",
        "        if found and not {*found} & {*REVISIONS[:-1]}:",
        "        if found:",
        "tests/api/test_health.py::test_a_database_that_lacks_a_migration_is_not_ready",
    ),
    behaviour(
        "lost-commit-is-a-success",
        "a COMMIT whose connection is lost answered as a success",
        "src/sealy/api/users.py",
        "    with writes.begin() as connection:\n"
        '        row = connection.execute(CREATE_USER, {"email": user.email}).one()\n',
        "    try:\n        with writes.begin() as connection:\n"
        '            row = connection.execute(CREATE_USER, {"email": user.email}).one()\n'
        "    except Exception:\n        response.status_code = 201\n",
        "tests/api/test_faults.py::test_a_commit_that_is_lost_is_never_a_success",
    ),
    Change(
        "route-without-example",
        "a route without an example, which is not measured",
        (
            Edit(
                "src/sealy/api/users.py",
                '@router.get("/{user_id}", summary="Read a user"',
                '@router.get("/{user_id}/name", summary="Read a name")\n'
                "def read_name(user_id: Id) -> str:\n"
                '    """A name."""\n'
                "    return str(user_id)\n\n\n"
                '@router.get("/{user_id}", summary="Read a user"',
            ),
        ),
        ("tests/api/test_objectives.py::test_a_route_keeps_the_objective[GET /v1/users/{user_id}/name]",),
        "has no example in tests/api/examples.py",
    ),
)

RIGHTS = (
    behaviour(
        "grant-forgotten",
        "the default privileges of the app's role left out",
        ROLES,
        TABLE_RIGHTS,
        "",
        f"{MIGRATIONS_ROLES}::test_what_a_migration_creates_the_app_can_use_without_a_grant",
    ),
    behaviour(
        "app-may-create",
        "the app's role may create tables",
        ROLES,
        USAGE,
        f"{USAGE}        format('GRANT CREATE ON SCHEMA public TO %I', app),\n",
        f"{MIGRATIONS_ROLES}::test_the_app_may_not_change_the_schema",
    ),
    behaviour(
        "reader-may-write",
        "a right to write for the role that only reads",
        ROLES,
        READONLY_RIGHTS,
        READONLY_RIGHTS.replace("GRANT SELECT", "GRANT SELECT, DELETE"),
        f"{MIGRATIONS_ROLES}::test_a_reader_may_change_nothing",
    ),
    behaviour(
        "statement-without-limit",
        "the time limit of the app's statements left out",
        ROLES,
        step("ROLE %I SET statement_timeout = %L', app, '5s'"),
        "",
        f"{MIGRATIONS_ROLES}::test_timeouts_are_in_force_at_login[app-statement_timeout]",
    ),
    behaviour(
        "strangers-connect",
        "every role may connect",
        ROLES,
        "        format('REVOKE ALL ON DATABASE %I FROM PUBLIC', database),\n",
        "",
        f"{MIGRATIONS_ROLES}::test_a_stranger_cannot_connect",
    ),
)

PEEK = '''"""What is stored."""


def test_peek(api, database):
    """Looks behind the API's back."""
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)
'''
TOUCH = '''"""What is stored."""


def test_touch(database):
    """Writes where only the schema is looked at."""
    with database.connect() as connection:
        connection.execute("INSERT INTO users (email) VALUES ('ada@example.org')")
'''
STALE = """
[[tool.harness.exemptions]]
rule = "index-redundant"
object = "public.ix_todos_gone"
reason = "it served a report that is gone by now"

[tool.alembic]
"""

TESTS = (
    Change(
        "database-in-an-api-test",
        "a test of the API that looks into the database",
        (Edit("tests/api/test_peek.py", "", PEEK),),
        ("tests/api/test_peek.py",),
        "A test marked api sees the database as a black box",
    ),
    Change(
        "write-in-a-schema-test",
        "a test of the schema that writes rows",
        (Edit("tests/schema/test_touch.py", "", TOUCH),),
        ("tests/schema/test_touch.py",),
        "A test marked schema only reads",
    ),
    Change(
        "stale-exemption",
        "an exemption whose object is gone",
        (Edit("pyproject.toml", "\n[tool.alembic]\n", STALE),),
        ("tests/schema/test_rules.py::test_rule[index-redundant]",),
        "stale-exemption",
    ),
)

FAULTS = PROMISES + RIGHTS + TESTS
