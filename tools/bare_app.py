"""The least that FastAPI can be asked for: what `tools.coldstart` compares the app with."""

from __future__ import annotations

from fastapi import FastAPI


def create_app() -> FastAPI:
    """One address, /health."""
    app = FastAPI()

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app
