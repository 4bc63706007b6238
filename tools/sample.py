"""The files and texts of the sample, and what replaces them in a project without it; `nox -s slim` reads them.

PACKAGE stands for the app's package. Each file below a path of SCOPE is in GONE, CHANGED or KEPT.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SCOPE = ("src/PACKAGE/", "tests/PACKAGE/", "tests/api/", "tests/migrations/", "tests/schema/", "migrations/versions/")

GONE = (
    "src/PACKAGE/api/tags.py",
    "src/PACKAGE/api/todos.py",
    "src/PACKAGE/api/users.py",
    "src/PACKAGE/db/refresh.py",
    "src/PACKAGE/db/statements.py",
    "src/PACKAGE/db/tags.py",
    "src/PACKAGE/db/todos.py",
    "src/PACKAGE/db/users.py",
    "src/PACKAGE/schemas/pages.py",
    "src/PACKAGE/schemas/tags.py",
    "src/PACKAGE/schemas/todos.py",
    "src/PACKAGE/schemas/users.py",
    "tests/api/conftest.py",
    "tests/api/reference.py",
    "tests/api/test_cpu.py",
    "tests/api/test_tags.py",
    "tests/api/test_todo_list.py",
    "tests/api/test_todo_tags.py",
    "tests/api/test_todos.py",
    "tests/api/test_users.py",
    "deploy/cloudrun/refresh.yaml",
    "deploy/cloudrun/schedule.sh",
    "deploy/vm/app-refresh.service",
    "deploy/vm/app-refresh.timer",
    "deploy/vm/managed/app-refresh.conf",
    "tests/deploy/test_backup.py",
    "tests/deploy/test_proxies.py",
    "tests/deploy/test_refresh.py",
    "migrations/versions/2026_11_24_0001_users_and_todos.py",
    "migrations/versions/2026_11_24_0002_tags.py",
    "migrations/versions/2026_11_24_0003_indexes_of_the_list.py",
    "migrations/versions/2026_11_24_0004_created_at_not_null.py",
    "migrations/versions/2026_11_24_0005_longer_titles.py",
    "migrations/versions/2026_11_24_0006_tags_in_use.py",
    "docs/proof.md",
    "tests/tools/test_proof.py",
    "tools/load.py",
    "tools/proof/",
)
"""Files that belong only to the sample; a path that ends in / includes all files below it."""

MENTIONED = {
    "README.md": r"(?m)^\|.*docs/proof\.md.*\n",
    "docs/README.md": r"(?m)^- .*proof\.md.*\n",
    "docs/benchmarks.md": r"(?m)^## Requests of the sample\n(?:(?!## ).*\n)+",
    "docs/writing-a-rule.md": r"(?m)^5\. Optionally.*\n.*-s proof.*\n",
    "docs/commands.md": r"(?m)^\|.*run\.py (?:proof|load)\b.*\n",
    "docs/api.md": r"(?m)^- \*\*Load\*\* .*\n(  .*\n)*",
}
"""Patterns of the texts that mention it, by page; a project may have rewritten these pages."""


@dataclass(frozen=True, slots=True)
class Change:
    """The sample's part of a file: definitions at its top level, and texts with their replacements."""

    without: tuple[str, ...] = ()
    instead: Mapping[str, str] | None = None


CHANGED: Mapping[str, Change] = {
    "src/PACKAGE/__init__.py": Change(
        instead={'"""A to-do service: users, their todos, and the tags on them."""': '"""A service on PostgreSQL."""'}
    ),
    "src/PACKAGE/main.py": Change(
        instead={
            "import conflicts, health, tags, todos, users": "import conflicts, health",
            '        summary="Users, their todos, and the tags on them.",\n': "",
            "    for router in (health.router, users.router, todos.router, tags.router):\n"
            "        app.include_router(router)\n": "    app.include_router(health.router)\n",
            "  # bytes; the longest todo with all its tags takes a third": "  # bytes",
        }
    ),
    "src/PACKAGE/api/conflicts.py": Change(
        instead={
            'FIELDS = {"uq_users_email": "email", "fk_todos_owner_id_users": "owner_id", "fk_tags_owner_id_users": '
            '"owner_id"}\n': "FIELDS: dict[str, str] = {}\n"
        }
    ),
    "src/PACKAGE/db/__init__.py": Change(
        instead={
            "from PACKAGE.db.tags import TAGS_IN_USE, Tag, TodoTag\n": "",
            "from PACKAGE.db.todos import Todo\n": "",
            "from PACKAGE.db.users import User\n": "",
            '__all__ = ["TAGS_IN_USE", "Tag", "Todo", "TodoTag", "User", "metadata"]': '__all__ = ["metadata"]',
        }
    ),
    "src/PACKAGE/schemas/types.py": Change(
        without=("EARLIEST", "LATEST", "ADDRESS", "_is_text", "_due", "DueAt", "Title", "TagName", "TagNames", "Email")
    ),
    "tests/PACKAGE/test_edge.py": Change(
        instead={
            '@pytest.mark.parametrize("announced", [True, False])': '@pytest.mark.parametrize("announced", [True])',
            "/v1/users": "/ready",
        }
    ),
    "tests/PACKAGE/test_metrics.py": Change(
        instead={'f"/v1/todos/{number}"': '"/ready"', "/v1/todos/{todo_id}": "/ready"}
    ),
    "tests/api/examples.py": Change(
        without=("_numbers", "user", "todo", "todos", "tags", "_of_todo"),
        instead={
            '    "POST /v1/users": lambda api: api.build_request(\n'
            '        "POST", "/v1/users", json={"email": f"new{next(_numbers)}@example.org"}\n'
            "    ),\n"
            '    "GET /v1/users/{user_id}": lambda api: api.build_request("GET", f"/v1/users/{user(api)}"),\n'
            '    "POST /v1/todos": lambda api: api.build_request(\n'
            '        "POST", "/v1/todos", json={"owner_id": user(api), "title": "Water the plants", '
            '"tags": ["home", "green"]}\n'
            "    ),\n"
            '    "GET /v1/todos": lambda api: api.build_request("GET", "/v1/todos", params={"owner_id": user(api)}),\n'
            '    "GET /v1/tags": _request("GET", "/v1/tags"),\n'
            '    "GET /v1/todos/{todo_id}": _of_todo("GET", "/v1/todos/{todo_id}"),\n'
            '    "PATCH /v1/todos/{todo_id}": _of_todo("PATCH", "/v1/todos/{todo_id}", {"done": True}),\n'
            '    "DELETE /v1/todos/{todo_id}": _of_todo("DELETE", "/v1/todos/{todo_id}"),\n'
            '    "PUT /v1/todos/{todo_id}/tags": _of_todo("PUT", "/v1/todos/{todo_id}/tags", '
            '{"tags": ["home", "later"]}),\n': "",
            '= {"GET /v1/todos": todos, "GET /v1/tags": tags}': "= {}",
        },
    ),
    "tests/api/test_faults.py": Change(
        without=(
            "NEW",
            "test_a_commit_that_is_lost_is_never_a_success",
            "test_a_stalled_statement_ends_within_its_limit",
            "test_a_transaction_that_loses_may_be_repeated",
        ),
        instead={
            '("users", "todos", "tags", "todo_tags")': "metadata.tables",
            "from tests.api.examples import": "from PACKAGE.db import metadata\nfrom tests.api.examples import",
            '"/v1/todos"': '"/ready"',
            "FROM todos": "FROM alembic_version",
        },
    ),
    "tests/api/test_fuzz.py": Change(
        instead={
            '"""Rows 1 to 3 are there, so that small ids are met."""': '"""The app, asked without a proxy between."""',
            "    for _ in range(3):\n        todo(api)\n": "",
        }
    ),
    "tests/api/test_growth.py": Change(without=("test_a_filtered_page_costs_the_same",)),
    "tests/api/test_health.py": Change(
        instead={
            '    ("GET", "/v1/todos", None),\n'
            '    ("GET", "/v1/todos/1", None),\n'
            '    ("GET", "/v1/users/1", None),\n'
            '    ("POST", "/v1/users", {"email": "late@example.org"}),\n'
            '    ("PATCH", "/v1/todos/1", {"done": True}),\n': '    ("GET", "/ready", None),\n',
            '    api.seed("users", [{"email": "ada@example.org"}])\n': "",
            "        200,\n        404,\n        200,\n        201,\n        404,\n": "        200,\n",
            "/v1/todos": "/ready",
        }
    ),
    "tests/api/test_observe.py": Change(
        without=(
            "test_a_statement_that_fails_counts_once",
            "test_a_cancelled_statement_counts_with_its_time",
            "test_labels_are_not_up_to_clients",
        ),
        instead={
            "api: Client, owner: int": "api: Client",
            'f"/v1/users/{owner}"': '"/ready"',
            "/v1/users/{user_id}": "/ready",
        },
    ),
    "tests/api/test_problems.py": Change(
        without=(
            "test_a_body_that_is_not_the_expected_json_is_refused",
            "test_a_body_without_end_is_refused",
            "test_a_body_that_is_not_called_json_is_refused",
            "test_broken_json_is_located_by_line_and_column",
        ),
        instead={"/v1/users": "/ready"},
    ),
    "tests/migrations/test_history.py": Change(without=("test_the_first_revision_creates_tables",)),
    "tests/migrations/test_roles.py": Change(
        instead={
            "def names(catalog: Snapshot, database: Database)": "def names(database: Database)",
            '"""A table of the project with one of its columns, and the owner, for the statements above."""\n'
            '    table = next(table for table in catalog.tables if table.name != "alembic_version")\n': (
                '"""A table with a column, and the owner, for the statements above."""\n'
                "    with database.connect() as connection:\n"
                '        connection.execute("CREATE TABLE thing (id bigint GENERATED ALWAYS AS IDENTITY)")\n'
            ),
            "sql.Identifier(table.schema, table.name)": 'sql.Identifier("public", "thing")',
            "sql.Identifier(table.columns[0].name)": 'sql.Identifier("id")',
        }
    ),
    "tests/schema/test_read_only.py": Change(
        instead={
            "def write(request: pytest.FixtureRequest, catalog: Snapshot)": (
                "def write(request: pytest.FixtureRequest)"
            ),
            '"""A statement that changes the first table of the project, or makes another."""\n'
            "    table = catalog.roots[0]\n"
            "    column = next(item for item in table.columns if not item.identity)\n"
            '    statement: str = request.param.format(table=f\'"{table.schema}"."{table.name}"\', '
            "column=f'\"{column.name}\"')\n": (
                '"""A statement that changes a table, or makes another."""\n'
                '    statement: str = request.param.format(table="public.alembic_version", column="version_num")\n'
            ),
            "(database: Database, catalog: Snapshot) -> None": "(database: Database) -> None",
            "    table = catalog.roots[0]\n    with database": "    with database",
            'f\'SELECT count(*) FROM "{table.schema}"."{table.name}"\'.encode()': (
                '"SELECT count(*) FROM public.alembic_version"'
            ),
        }
    ),
    "tests/deploy/stopping.py": Change(instead={"TABLE users": "TABLE alembic_version", "/v1/users/1": "/ready"}),
    "tests/deploy/test_serving.py": Change(
        instead={"assert answer.status_code == 404": "assert answer.status_code == 200"}
    ),
}
"""Files that both have; each text must occur, and every occurrence is replaced."""

WRITTEN: Mapping[str, str] = {
    "tests/schema/statements.json": """\
[
  {
    "routes": [
      "GET /ready"
    ],
    "text": "SELECT version_num FROM alembic_version"
  }
]
""",
    "migrations/versions/0001_start.py": '''\
"""The first revision: what the schema needs before it has tables.

The roles and their rights are in deploy/db/roles.sql: the app may use what the owner creates from here on.

Revision: 0001
Revises:
"""

from __future__ import annotations

from alembic import op

revision: str = "0001"
down_revision: str | tuple[str, ...] | None = None
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None

replaces = ("0001", "0002", "0003", "0004", "0005", "0006")
# The revisions of the template. Remove this line once this revision is on the default branch.


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS citext")


def downgrade() -> None:
    # Without CASCADE, so that Postgres refuses if something else uses it.
    op.execute("DROP EXTENSION IF EXISTS citext")
''',
}
"""Files that are written, with their text; the first revision is one of them."""

START = {"0001": "0001_start"}
"""The first revision, which the app then needs, and the name of its file."""

KEPT = (
    "src/PACKAGE/__main__.py",
    "src/PACKAGE/api/__init__.py",
    "src/PACKAGE/api/deps.py",
    "src/PACKAGE/api/health.py",
    "src/PACKAGE/db/base.py",
    "src/PACKAGE/db/cursors.py",
    "src/PACKAGE/db/engine.py",
    "src/PACKAGE/db/head.py",
    "src/PACKAGE/runtime/__init__.py",
    "src/PACKAGE/runtime/edge.py",
    "src/PACKAGE/runtime/logs.py",
    "src/PACKAGE/runtime/metrics.py",
    "src/PACKAGE/runtime/observe.py",
    "src/PACKAGE/runtime/problems.py",
    "src/PACKAGE/schemas/__init__.py",
    "src/PACKAGE/settings.py",
    "tests/PACKAGE/asgi.py",
    "tests/PACKAGE/test_deps.py",
    "tests/PACKAGE/test_engine.py",
    "tests/PACKAGE/test_import.py",
    "tests/PACKAGE/test_logs.py",
    "tests/PACKAGE/test_observe.py",
    "tests/PACKAGE/test_problems.py",
    "tests/PACKAGE/test_wheel.py",
    "tests/api/fuzzing.py",
    "tests/api/test_connections.py",
    "tests/api/test_dashboard.py",
    "tests/api/test_objectives.py",
    "tests/api/test_settings.py",
    "tests/api/test_statements.py",
    "tests/migrations/test_hazards.py",
    "tests/migrations/test_lock.py",
    "tests/migrations/test_released.py",
    "tests/migrations/test_stairway.py",
    "tests/schema/test_coverage.py",
    "tests/schema/test_drift.py",
    "tests/schema/test_rules.py",
)
"""Files that do not depend on the sample."""
