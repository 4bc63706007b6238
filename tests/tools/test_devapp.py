"""The app as `dev` serves it."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from fastapi import FastAPI, applications

from harness.config import load_config
from tools.devapp import ROOT, create_app, serve_docs


@pytest.fixture(autouse=True)
def _pages_of_fastapi(monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI makes its pages as before when the test ends."""
    for name in ("get_swagger_ui_html", "get_redoc_html"):
        monkeypatch.setattr(applications, name, getattr(applications, name))


def get(app: FastAPI, path: str) -> httpx.Response:
    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://dev", follow_redirects=True) as client:
            return await client.get(path)

    return asyncio.run(request())


@pytest.mark.parametrize("page", ["/", "/docs", "/redoc", "/admin/docs"])
def test_the_documentation_needs_no_internet(page: str) -> None:
    """`/` leads to it, and each file that a page of the app or of a mounted app names comes from `dev`."""
    app = FastAPI()
    app.mount("/admin", FastAPI())
    serve_docs(app)
    files = re.findall(r'<(?:link|script)[^>]* (?:href|src)="([^"]+)"', get(app, page).text)
    assert len(files) >= 2
    for file in files:
        answer = get(app, file)
        assert (file[0], answer.status_code) == ("/", 200)
        assert len(answer.content) > 1000


def test_a_route_of_the_app_at_the_root_remains() -> None:
    """`/` leads to the documentation only if the app has no such route."""
    app = FastAPI()
    app.get("/")(lambda: "welcome")
    serve_docs(app)
    assert get(app, "/").json() == "welcome"


def test_an_app_without_documentation_has_no_redirect() -> None:
    """If the app serves no documentation, `/` is not found, as in production."""
    app = FastAPI(docs_url=None, redoc_url=None)
    serve_docs(app)
    answer = get(app, "/")
    assert (answer.status_code, answer.history) == (404, [])


def test_a_missing_setting_ends_the_app_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """uvicorn prints it as it is, where an error would be a traceback."""
    monkeypatch.delenv(load_config(ROOT).database_env, raising=False)
    with pytest.raises(SystemExit, match=r"^\S+:Settings cannot be made: \w+: Field required\n  looked at: "):
        create_app()
