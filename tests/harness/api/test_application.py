"""The app may be a factory, with settings or without, or an object; its settings for tests come from the project."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import httpx
import pytest

from harness.api.app_process import AppProcess
from harness.api.app_server import AppServer
from harness.api.application import environment, make_app
from harness.api.routes import read_document
from harness.config import Config, load_config
from harness.errors import HarnessError
from tests.harness.projects import harness_table, write_files

APP = """
    import os
    from contextlib import asynccontextmanager
    from dataclasses import dataclass

    from fastapi import Depends, FastAPI
    from pydantic import SecretStr
    from pydantic_settings import BaseSettings, SettingsConfigDict

    class Settings(BaseSettings):
        model_config = SettingsConfigDict(env_prefix="SHOP_")
        dsn: str
        api_key: SecretStr

    @dataclass
    class Plain:
        database_url: str

    @asynccontextmanager
    async def lifespan(app):
        app.state.seen = f"{os.environ['SHOP_DSN']} {os.environ['SHOP_API_KEY']}"
        yield

    def clock():
        return "noon"

    def make(seen=None):
        app = FastAPI(lifespan=lifespan)

        @app.get("/seen")
        def read():
            return seen or app.state.seen

        @app.get("/time")
        def time(now=Depends(clock)):
            return now

        return app

    def with_settings(settings):
        return make(f"{settings.dsn} {settings.api_key.get_secret_value()}")

    def with_settings_or_none(settings=None):
        return with_settings(settings or Settings())

    def without_settings():
        return make()

    def with_plain(settings):
        return make(f"{settings.database_url} plain")

    def broken():
        raise SystemExit("wrong settings: SHOP_COLOUR")

    app = make()
    bare = app.router
    """
BROKEN = """
    import os

    KEY = os.environ["SHOP_NOWHERE_KEY"]
    """
ADDRESS = "postgresql://ada@localhost/shop"


def project(root: Path, monkeypatch: pytest.MonkeyPatch, app: str, settings: str = "", key: str = "secret") -> Config:
    """A project whose settings give the address of the database another name."""
    given = f'settings = "till.app:{settings}"\n' if settings else ""
    given += f'environment = {{ SHOP_API_KEY = "{key}" }}\n' if key else ""
    table = harness_table().replace('settings = "shop.app:Settings"\n', given)
    table = table.replace("shop.app:create_app", app).replace("SHOP_DATABASE_URL", "SHOP_DSN")
    write_files(root, {"pyproject.toml": table, "src/till/app.py": APP, "src/till/broken.py": BROKEN})
    for name in ("till", "till.app", "till.broken"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(root / "src")
    return load_config(root)


KINDS = [
    ("till.app:with_settings", "Settings"),
    ("till.app:with_settings_or_none", "Settings"),
    ("till.app:with_settings_or_none", ""),
    ("till.app:without_settings", ""),
    ("till.app:without_settings", "Settings"),
    ("till.app:app", ""),
]


@pytest.mark.parametrize(("app", "settings"), KINDS)
def test_an_app_of_each_kind_gets_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app: str, settings: str
) -> None:
    """The database's address and the other variables, in the tests' process; afterwards the variables are gone."""
    config = project(tmp_path, monkeypatch, app, settings)
    assert "/seen" in read_document(tmp_path)["paths"]
    server = AppServer()
    with server.host(config, ADDRESS):
        assert httpx.get(f"{server.base_url}/seen", trust_env=False).json() == f"{ADDRESS} secret"
    server.close()
    assert "SHOP_DSN" not in os.environ


@pytest.mark.parametrize(("app", "settings"), [KINDS[0], KINDS[3], KINDS[5]])
def test_an_app_of_each_kind_runs_as_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app: str, settings: str
) -> None:
    """It gets the same settings there."""
    config = project(tmp_path, monkeypatch, app, settings)
    with AppProcess(config, ADDRESS) as process:
        assert httpx.get(f"{process.base_url}/seen", trust_env=False).json() == f"{ADDRESS} secret"


def test_settings_that_read_no_environment_are_given_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class that takes `database_url` need not be one of pydantic-settings."""
    config = project(tmp_path, monkeypatch, "till.app:with_plain", "Plain")
    with environment(config, ADDRESS):
        app = make_app(config)
    assert app.routes[-2].endpoint() == f"{ADDRESS} plain"


def test_an_override_ends_with_its_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that is an object serves the next test as it was."""
    config = project(tmp_path, monkeypatch, "till.app:app")
    server = AppServer()
    times = []
    for hour in ("one", ""):
        with server.host(config, ADDRESS) as app:
            if hour:
                app.dependency_overrides[sys.modules["till.app"].clock] = lambda: "one"
            times.append(httpx.get(f"{server.base_url}/time", trust_env=False).json())
    server.close()
    assert times == ["one", "noon"]


@pytest.mark.parametrize(
    ("app", "settings", "key", "says"),
    [
        ("till.app:with_settings", "Settings", "", "till.app:Settings cannot be made: api_key: Field"),
        ("till.app:with_settings", "Settings", "", '[tool.harness.environment] SHOP_API_KEY = "…"'),
        ("till.app:with_settings", "", "x", "till.app:with_settings takes settings, and [tool.harness] names none"),
        ("till.app:broken", "", "x", "till.app:broken cannot be made: wrong settings: SHOP_COLOUR"),
        ("till.app:bare", "", "x", "till.app:bare has no OpenAPI document: it is APIRouter"),
        ("till.broken:app", "", "x", "'till.broken:app', which cannot be loaded: KeyError: 'SHOP_NOWHERE_KEY'"),
    ],
)
def test_what_is_missing_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app: str, settings: str, key: str, says: str
) -> None:
    """No traceback of pydantic or of the app: what was called, what it lacks, and where that is to be given."""
    project(tmp_path, monkeypatch, app, settings, key)
    with pytest.raises(HarnessError) as caught:
        read_document(tmp_path)
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 4
