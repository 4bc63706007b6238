"""Faults of a route: what it asks of the database, how often, and when."""

from __future__ import annotations

from tools.proof.change import Change, Edit

TODOS = "src/sealy/api/todos.py"
USERS = "src/sealy/api/users.py"
LIST = "        rows = connection.execute(statements.list_todos(*filters), {**filters, **page}).mappings().all()\n"
READ = '        row = connection.execute(READ_USER, {"id": user_id}).one_or_none()\n'
CREATE = '        row = connection.execute(CREATE_USER, {"email": user.email}).one()\n'
SET_TAGS = '            row = connection.execute(statements.SET_TAGS, {"id": row.id, "tags": todo.tags}).one()\n'

GROWTH = ("tests/api/test_growth.py::test_a_list_costs_the_same_however_many_rows_there_are[GET /v1/todos]",)
CREATED = ("tests/api/test_users.py::test_a_user_is_created_and_read_back",)
OBJECTIVE = ("tests/api/test_objectives.py::test_a_route_keeps_the_objective[GET /v1/users/{user_id}]",)
POOL = "tests/api/test_connections.py::test_many_clients_share_the_pool"


def after(path: str, line: str, more: str) -> Edit:
    """More lines after one."""
    return Edit(path, line, line + more)


LAZY = """
    owner: Mapped[User] = relationship()
"""
LAZY_LIST = """
    with Session(reads) as session:
        for todo in session.scalars(select(Todo).limit(chosen.limit)):
            str(todo.owner.email)
"""
HALVES = """        if len(rows) > 50:
            connection.exec_driver_sql("SELECT name FROM tags ORDER BY id LIMIT 10")
"""
FOUR_MORE = "".join(
    f'        connection.exec_driver_sql("SELECT {what}")\n'
    for what in ("current_user", "current_database()", "version()", "pg_backend_pid()")
)
AT_THE_END = """from collections.abc import Iterator  # noqa: E402
from typing import Annotated  # noqa: E402

from fastapi import Depends  # noqa: E402
from sqlalchemy import Connection  # noqa: E402


def _transaction(writes: Writes) -> Iterator[Connection]:
    with writes.begin() as connection:
        yield connection


@router.post("", status_code=201, summary="Create a user\""""
PAGE_TEST = '''"""A page of one."""

import pytest


@pytest.mark.query_budget(4, reason="a report of the year, which is asked for once a month")
def test_a_page_of_one(api):
    """One request, and one query."""
    assert api.get("/v1/todos", params={"limit": 1}).status_code == 200
'''
KEPT = """    connection = writes.connect()
    router.__dict__.setdefault("kept", []).append(connection)
    if connection:
"""
CHECKED = """        spelling = "SELECT id FROM users WHERE lower(email::text) = lower(%s)"
        connection.exec_driver_sql(spelling, (user.email,))
"""
ENGINES = """    return Database(request.app.state.settings).reads
"""

FAULTS = (
    Change(
        "lazy-loop",
        "a relationship loaded row by row",
        (
            Edit(
                "src/sealy/db/todos.py",
                "from sqlalchemy.orm import Mapped, mapped_column\n",
                "from sqlalchemy.orm import Mapped, mapped_column, relationship\n\nfrom sealy.db.users import User\n",
            ),
            after("src/sealy/db/todos.py", "    created_at: Mapped[CreatedAt]\n", LAZY),
            after(
                TODOS,
                "from sqlalchemy import Row\n",
                "from sqlalchemy import select\nfrom sqlalchemy.orm import Session\nfrom sealy.db import Todo\n",
            ),
            after(TODOS, LIST, LAZY_LIST.removeprefix("\n")),
        ),
        GROWTH,
        "query-loop",
    ),
    Change(
        "query-in-a-for-loop",
        "tags inserted one by one",
        (
            Edit(
                TODOS,
                SET_TAGS,
                SET_TAGS.replace("            ", "            for tag in todo.tags:\n                ").replace(
                    "todo.tags}", "[tag]}"
                ),
            ),
        ),
        ("tests/api/test_todos.py::test_the_bounds_themselves_are_stored",),
        "query-loop",
    ),
    Change("query-growth", "a second query for long pages", (after(TODOS, LIST, HALVES),), GROWTH, "query-growth"),
    Change("query-budget", "five queries for one user", (after(USERS, READ, FOUR_MORE),), CREATED, "query-budget"),
    Change(
        "budget-stale",
        "a raised budget for a test that does not need it",
        (Edit("tests/api/test_page_of_one.py", "", PAGE_TEST),),
        ("tests/api/test_page_of_one.py",),
        "stale-exemption",
    ),
    Change(
        "connection-per-request",
        "an engine made for each request",
        (
            after(
                "src/sealy/main.py",
                "    app.state.database = Database(settings)\n",
                "    app.state.settings = settings\n",
            ),
            Edit("src/sealy/api/deps.py", "    return (await database(request)).reads\n", ENGINES),
        ),
        CREATED,
        "connection-per-request",
    ),
    Change(
        "work-after-answer",
        "a dependency that commits after the answer",
        (
            Edit(USERS, '@router.post("", status_code=201, summary="Create a user"', AT_THE_END),
            Edit(
                USERS,
                "def create_user(user: NewUser, writes: Writes, response: Response)",
                "def create_user(\n"
                "    user: NewUser, connection: Annotated[Connection, Depends(_transaction)], response: Response\n)",
            ),
            Edit(USERS, f"    with writes.begin() as connection:\n{CREATE}", CREATE.removeprefix("    ")),
        ),
        CREATED,
        "work-after-answer",
    ),
    Change(
        "count-in-list",
        "a count of all rows with each page",
        (after(TODOS, LIST, '        connection.exec_driver_sql("SELECT count(*) FROM todos")\n'),),
        GROWTH,
        "count-in-list",
    ),
    Change(
        "unbounded-list",
        "a list without a limit",
        (
            Edit(
                "src/sealy/schemas/pages.py",
                'limit: int = Field(default=50, ge=1, le=100, description="Items per page")',
                'limit: int = Field(default=10**6, ge=1, le=10**6, description="Items per page")',
            ),
        ),
        GROWTH,
        "unbounded-list",
    ),
    Change(
        "idle-in-transaction",
        "a wait for something else inside a transaction",
        (after(USERS, CREATE, '        __import__("time").sleep(1.2)\n'),),
        CREATED,
        "idle-in-transaction",
    ),
    Change(
        "transaction-left-open",
        "a connection taken from the pool and never returned",
        (Edit(USERS, "    with writes.begin() as connection:\n", KEPT),),
        CREATED,
        "transaction-left-open",
    ),
    Change(
        "latency-objective",
        "a call to a slow service before the query",
        (after(USERS, '    """One user."""\n', '    __import__("time").sleep(0.25)\n'),),
        OBJECTIVE,
        "latency-objective",
    ),
    Change(
        "pool-too-small",
        "a pool of one connection",
        (Edit("src/sealy/settings.py", "pool_size: int = Field(default=5,", "pool_size: int = Field(default=1,"),),
        (POOL,),
        "pool-too-small",
    ),
    Change(
        "query-without-index",
        "an address searched by an expression that no index has",
        (Edit(USERS, CREATE, CHECKED + CREATE),),
        CREATED,
        "query-without-index",
    ),
    Change(
        "reads-in-transactions",
        "reads that open a transaction: two more round trips each",
        (Edit("src/sealy/db/engine.py", '            isolation_level="AUTOCOMMIT",\n', ""),),
        OBJECTIVE,
        OBJECTIVE[0],
    ),
    Change(
        "ping-before-use",
        "a ping before each use of a connection: one more round trip",
        (Edit("src/sealy/db/engine.py", "max_overflow=0,", "max_overflow=0, pool_pre_ping=True,"),),
        OBJECTIVE,
        "ping-before-use",
    ),
)
