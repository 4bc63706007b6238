"""The application's factory: `uvicorn --factory sealy.main:create_app`."""

# ruff: noqa: E402  # the collector rests before the rest is imported
from __future__ import annotations

import gc

_collecting = gc.isenabled()
gc.disable()  # What imports make stays, and looking for garbage among it is a twentieth of a start.

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from sealy.api import health, problems, tags, todos, users
from sealy.db.engine import Database
from sealy.runtime import logs
from sealy.runtime.edge import Door
from sealy.runtime.metrics import Metrics
from sealy.runtime.metrics import router as metrics_router
from sealy.runtime.observe import App, Note, Observe
from sealy.settings import Settings, SettingsError, read_settings

gc.freeze()
if _collecting:
    gc.enable()

LARGEST_BODY = 64 * 1024
"""Bytes; the longest todo with all its tags, escaped as JSON may be, takes a third."""


class Application(FastAPI):
    """FastAPI whose OpenAPI document knows the shape of a problem, behind the door and under observation."""

    def __init__(self, settings: Settings, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._settings = settings
        self._notes: list[Note] = []
        if settings.metrics:
            metrics = Metrics()
            self._notes.append(metrics.note)
            self.include_router(metrics_router(metrics))
        if settings.access_log:
            self._notes.append(logs.note)

    def build_middleware_stack(self) -> Any:
        """Put both outside of what answers unexpected errors, so that these answers too are counted and complete."""
        app: App = super().build_middleware_stack()
        key = self._settings.edge_key
        door = Door(app, edge_key=key.get_secret_value() if key else None, largest_body=LARGEST_BODY)
        return Observe(door, self._notes, server_timing=self._settings.server_timing)

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
        logs.log.warning("not ready yet: %s", reason)
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
    logs.configure(as_json=settings.log_format == "json", access_log=settings.access_log)
    docs = settings.docs
    app = Application(
        settings,
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
    for router in (health.router, users.router, todos.router, tags.router):
        app.include_router(router)
    return app
