"""The application's factory: `uvicorn --factory sealy.main:create_app`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from sealy.api import health, problems, todos, users
from sealy.db.engine import Database
from sealy.settings import Settings, SettingsError, read_settings

LARGEST_BODY = 64 * 1024
"""Bytes; the longest todo with all its tags, escaped as JSON may be, takes a third. Starlette answers 413, as text."""

log = logging.getLogger("sealy")


class Application(FastAPI):
    """FastAPI whose OpenAPI document knows the shape of a problem."""

    def openapi(self) -> dict[str, Any]:
        """Make the document, once."""
        document = super().openapi()
        schema = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= {**schema.pop("$defs"), "Problem": schema}
        return document


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the pool before the first request. A database that is away keeps nobody from starting: see /ready."""
    database: Database = app.state.database
    reason = await run_in_threadpool(database.why_not_ready)
    if reason:
        log.warning("not ready yet: %s", reason)
    yield
    await run_in_threadpool(database.close)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the application; without `settings` the environment is read, and nothing is connected to before it starts.

    Raises:
        SystemExit: when the environment's settings are wrong, with one line that names the variables.
    """
    if settings is None:
        try:
            settings = read_settings()
        except SettingsError as error:
            raise SystemExit(f"wrong settings: {error}") from None
    docs = settings.docs
    app = Application(
        title="Sealy",
        summary="Users, their todos, and the tags on them.",
        version="1",
        docs_url="/docs" if docs else None,
        redoc_url=None,
        openapi_url="/openapi.json" if docs else None,
        lifespan=_lifespan,
        max_body_size=LARGEST_BODY,
    )
    app.state.database = Database(settings)
    problems.install(app)
    for router in (health.router, users.router, todos.router):
        app.include_router(router)
    return app
