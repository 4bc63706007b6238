"""What the app is compared with: its statements through raw psycopg, in the same framework, with the same answers."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from queue import LifoQueue
from typing import Any

import psycopg
from fastapi import FastAPI
from psycopg.rows import dict_row

from sealy.schemas.pages import Page
from sealy.schemas.todos import TodoOut

CONNECTIONS = 5

TODOS = """
    SELECT todos.id, todos.owner_id, todos.title, todos.done, todos.due_at, todos.created_at,
        array((SELECT CAST(tags.name AS TEXT) AS name
         FROM tags JOIN todo_tags ON todo_tags.tag_id = tags.id
         WHERE todo_tags.todo_id = todos.id ORDER BY tags.name)) AS tags
    FROM todos
"""
READ: Any = f"{TODOS} WHERE todos.id = %s::BIGINT"
LIST: Any = f"{TODOS} WHERE todos.id < %s::BIGINT ORDER BY todos.id DESC LIMIT %s"


def create_app() -> FastAPI:
    """The routes `/bare`, which asks nothing of a database, and the app's own two reads."""
    pool: LifoQueue[psycopg.Connection[dict[str, Any]]] = LifoQueue()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        for _number in range(CONNECTIONS):
            pool.put(psycopg.connect(os.environ["APP_DATABASE_URL"], autocommit=True, row_factory=dict_row))
        yield
        while not pool.empty():
            pool.get().close()

    @contextmanager
    def connection() -> Iterator[psycopg.Connection[dict[str, Any]]]:
        taken = pool.get()
        try:
            yield taken
        finally:
            pool.put(taken)

    app = FastAPI(lifespan=lifespan)

    @app.get("/bare")
    async def bare() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/v1/todos/{todo_id}")
    def read(todo_id: int) -> TodoOut:
        with connection() as taken:
            row = taken.execute(READ, (todo_id,)).fetchone()
        return TodoOut.model_validate(row)

    @app.get("/v1/todos")
    def page(limit: int = 50, before: int = 2**53 - 1) -> Page[TodoOut]:
        with connection() as taken:
            rows = taken.execute(LIST, (before, limit + 1)).fetchall()
        items = [TodoOut.model_validate(row) for row in rows[:limit]]
        return Page[TodoOut](items=items, next=None)

    return app
