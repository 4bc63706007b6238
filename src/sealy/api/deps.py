"""What the routes share: the way to call a handler, and dependencies on the database."""

from collections.abc import Callable
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Annotated, Any, cast

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from sqlalchemy import Engine

from sealy.db.engine import Database


class Route(APIRoute):
    """Calls a plain handler in a thread once: FastAPI would use a second call to validate, 6 to 8 % of the CPU."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        @wraps(endpoint)
        async def in_a_thread(**values: Any) -> Any:
            return await run_in_threadpool(endpoint, **values)

        plain = not (iscoroutinefunction(endpoint) or isgeneratorfunction(endpoint) or isasyncgenfunction(endpoint))
        super().__init__(path, in_a_thread if plain else endpoint, **options)


async def database(request: Request) -> Database:
    """Return the process's database. Async, because FastAPI would run a plain function in a thread."""
    return cast("Database", request.app.state.database)


async def _reads(request: Request) -> Engine:
    return (await database(request)).reads


async def _writes(request: Request) -> Engine:
    return (await database(request)).writes


Reads = Annotated[Engine, Depends(_reads)]
Writes = Annotated[Engine, Depends(_writes)]
