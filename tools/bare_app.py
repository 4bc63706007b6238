"""A bare FastAPI app, which `tools.coldstart` compares the app with."""

from __future__ import annotations

from fastapi import FastAPI


def create_app() -> FastAPI:
    """Return an app with one route, /health."""
    app = FastAPI()

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app
