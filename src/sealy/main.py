"""The application: `python -m sealy` and `uvicorn --factory sealy.main:create_app` serve it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from sealy.api import conflicts, health, tags, todos, users
from sealy.db.engine import Database
from sealy.runtime import logs, metrics, problems
from sealy.runtime.edge import EdgeGuard
from sealy.runtime.observe import Observe
from sealy.settings import Settings

LARGEST_BODY = 64 * 1024  # bytes; the longest todo with all its tags takes a third


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the pool before the first request. The app starts without its database too: see /ready."""
    database: Database = app.state.database
    if reason := await run_in_threadpool(database.why_not_ready):
        logs.log.warning("not ready: %s", reason)
    yield
    await run_in_threadpool(database.writes.dispose)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application, by default with the environment's settings; it connects to nothing before it starts."""
    settings = settings or Settings.read()
    logs.configure(as_json=settings.log_format == "json")
    app = FastAPI(
        title="Sealy",
        summary="Users, their todos, and the tags on them.",
        version="1",
        docs_url="/docs" if settings.docs else None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.docs else None,
        lifespan=_lifespan,
    )
    app.state.database = Database(settings)
    for router in (health.router, users.router, todos.router, tags.router):
        app.include_router(router)
    notes = [logs.note] if settings.access_log else []
    if settings.metrics:
        app.include_router(metrics.router)
        notes.append(metrics.note)
    # A request passes first what is added last.
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=LARGEST_BODY)
    problems.install(app, conflicts.FIELDS)
    app.add_middleware(EdgeGuard, edge_key=settings.edge_key, largest_body=LARGEST_BODY)
    app.add_middleware(Observe, routes=app.routes, notes=notes, settings=settings)
    return app
