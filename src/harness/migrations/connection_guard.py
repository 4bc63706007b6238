"""Keeps a project's code from connecting to any database but the one that it is given."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import patch

from psycopg import AsyncConnection, Connection
from sqlalchemy import URL, Engine, event

PORT = "5432"
"""libpq's default port."""


class ForeignConnectionError(Exception):
    """Raised when the project's code connects to another database than the one that it is given."""


@contextlib.contextmanager
def restrict_connections(url: URL) -> Iterator[None]:
    """Refuse each connection of SQLAlchemy and psycopg to another server or database, before it is opened.

    Existing threads are the harness's own and may connect anywhere. Connections of other drivers are refused only if
    SQLAlchemy opens them.
    """
    others = set(threading.enumerate()) - {threading.current_thread()}
    sync, awaited = (cls.__dict__["_get_connection_params"] for cls in (Connection, AsyncConnection))

    def check(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        if threading.current_thread() not in others:
            _check(url, asked)
        return asked

    def parameters(cls: Any, /, conninfo: str, **named: Any) -> Mapping[str, Any]:
        return check(sync.__get__(None, cls)(conninfo, **named))

    async def parameters_async(cls: Any, /, conninfo: str, **named: Any) -> Mapping[str, Any]:
        return check(await awaited.__get__(None, cls)(conninfo, **named))

    hook = _hook(url)
    event.listen(Engine, "do_connect", hook)
    try:  # below `connect`, which modules may have imported by name, and above the look-up of the host
        with (
            patch.object(Connection, "_get_connection_params", classmethod(parameters)),
            patch.object(AsyncConnection, "_get_connection_params", classmethod(parameters_async)),
        ):
            yield
    finally:
        event.remove(Engine, "do_connect", hook)


def _check(url: URL, asked: Mapping[str, Any]) -> None:
    """Compare with what libpq would connect to, including its environment variables (manual, 32.15)."""

    def value(name: str, variable: str, default: str = "") -> str:
        return str(asked.get(name) or os.environ.get(variable) or default)

    port = str(url.query.get("port") or url.port or PORT)
    address = value("hostaddr", "PGHOSTADDR")  # libpq takes it in place of the host
    found = address or value("host", "PGHOST"), value("port", "PGPORT", PORT)
    database = value("dbname", "PGDATABASE", value("user", "PGUSER"))
    if (*found, database) != (_host(url), port, url.database):
        raise ForeignConnectionError(
            _said(f"{database or 'its default database'} on {found[0] or 'the default server'}:{found[1]}")
        )


def _hook(url: URL) -> Any:
    """Return a hook for other drivers: SQLAlchemy's arguments for them must contain host and database."""

    def connects(_dialect: Any, _record: Any, arguments: Any, named: Any) -> None:
        place = " ".join([*map(str, arguments), *(f"{key}={value}" for key, value in named.items())])
        if _host(url) not in place or str(url.database) not in place:
            database = named.get("dbname") or named.get("database") or "its default database"
            shown = named.get("host") or next(iter(arguments), "the default server")
            raise ForeignConnectionError(_said(f"{database} on {shown}"))

    return connects


def _host(url: URL) -> str:
    return str(url.query.get("host") or url.host)


def _said(place: str) -> str:
    return f"connects to {place} instead of the database that it is given"
