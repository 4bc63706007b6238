"""An app for each test, made of a few lines of code, on a database with owners and items."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, cast

from fastapi import BackgroundTasks, Depends, FastAPI, Header, HTTPException, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse
from sqlalchemy import ForeignKey, create_engine, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

from harness.api.client import Client


class Base(DeclarativeBase):
    """The faulty app's tables."""


class Owner(Base):
    """Whom an item belongs to."""

    __tablename__ = "owner"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Item(Base):
    """What is listed."""

    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey(Owner.id))
    owner: Mapped[Owner] = relationship()


NAMES: dict[str, Any] = {
    "asyncio": asyncio,
    "BackgroundTasks": BackgroundTasks,
    "Depends": Depends,
    "EventSourceResponse": EventSourceResponse,
    "HTTPException": HTTPException,
    "Header": Header,
    "Item": Item,
    "LONG": 1.5,
    "Owner": Owner,
    "Session": Session,
    "StreamingResponse": StreamingResponse,
    "WebSocket": WebSocket,
    "create_engine": create_engine,
    "func": func,
    "select": select,
    "selectinload": selectinload,
    "text": text,
    "threading": threading,
    "time": time,
}
"""What the code of an example may use."""

Start = Callable[[str], Client]


def make_app(url: str, code: str) -> FastAPI:
    """An app with the routes of this code, whose pool is open before it serves."""
    names = NAMES | {"app": FastAPI(), "url": url, "threads": list[threading.Thread]()}
    names["engine"] = create_engine(url, pool_size=3, max_overflow=0)
    names["reads"] = names["engine"].execution_options(isolation_level="AUTOCOMMIT")
    exec(code, names)
    app, engine = names["app"], names["engine"]

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> Any:
        with contextlib.ExitStack() as held:
            for _number in range(engine.pool.size()):
                held.enter_context(engine.connect())
        yield
        engine.dispose()

    app.router.lifespan_context = lifespan
    return cast("FastAPI", app)


def add_items(client: Client, count: int) -> None:
    """Items, each with another owner."""
    owners = client.seed("owner", [{"name": f"owner {number}"} for number in range(count)])
    client.seed("item", [{"owner_id": owner["id"]} for owner in owners])
