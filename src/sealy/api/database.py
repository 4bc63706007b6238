"""How a handler gets at the database: `Reads` send each statement by itself, `Writes` open transactions."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy import Engine

from sealy.db.engine import Database


async def database(request: Request) -> Database:
    """The process's database. Async, because a plain function would go to a thread and back."""
    return cast("Database", request.app.state.database)


async def _reads(request: Request) -> Engine:
    return (await database(request)).reads


async def _writes(request: Request) -> Engine:
    return (await database(request)).writes


Reads = Annotated[Engine, Depends(_reads)]
Writes = Annotated[Engine, Depends(_writes)]
