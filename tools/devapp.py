"""The app as `dev` serves it: `/` leads to its documentation, which needs no internet."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI, applications
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from starlette.responses import RedirectResponse
from starlette.staticfiles import StaticFiles

from harness.api.application import make_app
from harness.config import load_config
from harness.errors import HarnessError

ROOT = Path(__file__).resolve().parent.parent
FILES = "/dev/docs"
"""The path of the scripts and styles of the documentation's pages, which FastAPI takes from a CDN."""
FAVICON = f"{FILES}/favicon.png"


def create_app() -> Any:
    """Return the project's app with the files of its documentation, if it is a FastAPI app."""
    try:
        app = make_app(load_config(ROOT))
    except HarnessError as error:
        raise SystemExit(str(error)) from error
    if isinstance(app, FastAPI):
        serve_docs(app)
    return app


def serve_docs(app: FastAPI) -> None:
    """Add the files that the pages of this app and of apps mounted in it need, and a redirect if `/` has no route."""
    vars(applications).update(
        get_swagger_ui_html=partial(
            get_swagger_ui_html,
            swagger_js_url=f"{FILES}/swagger-ui-bundle.js",
            swagger_css_url=f"{FILES}/swagger-ui.css",
            swagger_favicon_url=FAVICON,
        ),
        get_redoc_html=partial(
            get_redoc_html,
            redoc_js_url=f"{FILES}/redoc.standalone.js",
            redoc_favicon_url=FAVICON,
            with_google_fonts=False,
        ),
    )
    app.mount(FILES, StaticFiles(packages=[("fastapi_offline", "static")]))
    if docs := app.docs_url or app.redoc_url:
        app.add_route("/", lambda _: RedirectResponse(docs), include_in_schema=False)
