"""The routes' dependencies on the database. They are async, because FastAPI would run plain functions in a thread."""

from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy import Engine

from sealy.db.engine import Database


async def database(request: Request) -> Database:
    """Return the process's database."""
    return cast("Database", request.app.state.database)


async def _reads(request: Request) -> Engine:
    return (await database(request)).reads


async def _writes(request: Request) -> Engine:
    return (await database(request)).writes


Reads = Annotated[Engine, Depends(_reads)]
Writes = Annotated[Engine, Depends(_writes)]
