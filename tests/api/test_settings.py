"""Settings that are wrong stop the start with one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from harness.config import Config
from sealy.main import create_app
from sealy.settings import DatabaseSettings, Settings

SOURCES = Path(__file__).parents[2] / "src"
URL = "postgresql://ada@localhost/todos"
HIDDEN = "postgresql://ada:s3cret@localhost/todos"


class MoreSettings(Settings):
    """Settings with secrets and a list of a project's own, as a team adds them."""

    api_key: SecretStr
    mail_key: SecretStr | None = Field(default=None, min_length=16)
    token: SecretStr = Field(default=SecretStr(""), max_length=2, validation_alias="MAIL_TOKEN")
    origins: frozenset[str] = frozenset()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, harness_config: Config) -> pytest.MonkeyPatch:
    """An environment without settings but those that every test has, to be filled."""
    for name in [name for name in os.environ if name.startswith("APP_")]:
        monkeypatch.delenv(name)
    for name, value in harness_config.environment.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("words", ["sealy", "uvicorn --factory sealy.main:create_app --port 0"])
def test_a_wrong_setting_stops_the_process_with_one_line(environment: pytest.MonkeyPatch, words: str) -> None:
    """Started as in production or by uvicorn, the process exits with 1, and prints no traceback."""
    command = [sys.executable, "-m", *words.split()]
    env = {**os.environ, "PYTHONPATH": str(SOURCES), "APP_DATABASE_URL_FILE": "/no/such/file"}
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "APP_DATABASE_URL_FILE:" in ended.stderr


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({}, "APP_DATABASE_URL"),
        ({"APP_DATABASE_URL": ""}, "APP_DATABASE_URL"),
        ({"APP_DATABASE_URL": "localhost"}, "APP_DATABASE_URL"),
        ({"APP_DATABASE_URL": "mysql://ada:s3cret@localhost/todos"}, "APP_DATABASE_URL"),
        ({"APP_DATABASE_URL": "postgresql://ada:s3cret@localhost"}, "APP_DATABASE_URL"),
        ({"APP_DATABASE_URL": "postgresql://ada:s3cret@localhost:port/todos"}, "APP_DATABASE_URL"),
        ({"APP_DATABASE_URL": "postgresql://ada:s3cret@localhost:65536/todos"}, "APP_DATABASE_URL"),
        ({"APP_DATABASE_URL": "postgresql://ada:s3cret@localhost/todos?pool=9"}, "APP_DATABASE_URL"),
        ({"APP_DATABASE_URL_FILE": "/"}, "APP_DATABASE_URL_FILE"),
        ({"APP_DATABASE_URL": URL, "APP_DATABASE_URL_FILE": "/no/such/file"}, "APP_DATABASE_URL_FILE"),
        ({"APP_DATABASE_URL": URL, "APP_POOL_SIZE": "0"}, "APP_POOL_SIZE"),
        ({"APP_DATABASE_URL": URL, "APP_POOL_SIZE": "many"}, "APP_POOL_SIZE"),
        ({"APP_DATABASE_URL": URL, "APP_POOL_TIMEOUT": "-1"}, "APP_POOL_TIMEOUT"),
        ({"APP_DATABASE_URL": URL, "APP_PREPARE": "perhaps"}, "APP_PREPARE"),
        ({"APP_DATABASE_URL": URL, "PORT": "many"}, " PORT"),
    ],
)
def test_a_wrong_setting_is_named_without_its_secret(
    environment: pytest.MonkeyPatch, variables: dict[str, str], name: str
) -> None:
    """One line that names the variable, whatever is wrong with it."""
    for variable, value in variables.items():
        environment.setenv(variable, value)
    with pytest.raises(SystemExit) as stopped:
        create_app()
    line = str(stopped.value)
    assert name in line
    assert "\n" not in line
    assert "s3cret" not in line


def test_all_wrong_settings_are_named_at_once(environment: pytest.MonkeyPatch) -> None:
    """One start shows everything there is to correct."""
    environment.setenv("APP_DATABASE_URL", "localhost")
    environment.setenv("APP_POOL_SIZE", "0")
    with pytest.raises(SystemExit, match=r"APP_DATABASE_URL: .*; APP_POOL_SIZE: "):
        create_app()


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({}, "APP_API_KEY: "),
        ({"APP_API_KEY": "key", "APP_MAIL_KEY": "s3cret"}, "APP_MAIL_KEY: "),
        ({"APP_API_KEY": "key", "MAIL_TOKEN": "s3cret"}, " MAIL_TOKEN: "),
        ({"APP_API_KEY": "key", "APP_API_KEY_FILE": "/no/such/file"}, "APP_API_KEY_FILE are both set"),
        ({"APP_API_KEY": "key", "APP_MAIL_KEY_FILE": "/no/such/file"}, "APP_MAIL_KEY_FILE: "),
        ({"APP_API_KEY": "key", "MAIL_TOKEN_FILE": "/no/such/file"}, " MAIL_TOKEN_FILE: "),
        ({"APP_API_KEY": "key", "APP_ORIGINS": "s3cret"}, "origins"),
    ],
)
def test_a_new_setting_is_named_and_no_value_is_shown(
    environment: pytest.MonkeyPatch, variables: dict[str, str], name: str
) -> None:
    """Neither its own value nor, when it is missing, those of the others."""
    environment.delenv("APP_API_KEY", raising=False)
    for variable, value in {"APP_DATABASE_URL": HIDDEN, **variables}.items():
        environment.setenv(variable, value)
    with pytest.raises(SystemExit) as stopped:
        MoreSettings.read()
    assert name in str(stopped.value)
    assert "s3cret" not in str(stopped.value)


def test_a_traceback_shows_no_value(environment: pytest.MonkeyPatch) -> None:
    """An error of pydantic's that nobody catches hides what it was given."""
    environment.delenv("APP_API_KEY", raising=False)
    environment.setenv("APP_DATABASE_URL", HIDDEN)
    with pytest.raises(ValueError, match="api_key") as raised:
        MoreSettings()
    assert "s3cret" not in str(raised.value)


def test_a_new_secret_may_come_from_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Required or optional, and under its own name or an alias, it is read without the newline at the end."""
    environment.delenv("APP_API_KEY", raising=False)
    environment.setenv("APP_DATABASE_URL", URL)
    for variable, value in {"APP_API_KEY": "key", "APP_MAIL_KEY": "sixteen letters!", "MAIL_TOKEN": "to"}.items():
        (tmp_path / variable).write_text(f"{value}\n", encoding="utf-8")
        environment.setenv(f"{variable}_FILE", str(tmp_path / variable))
    found = MoreSettings.read()
    assert (found.api_key.get_secret_value(), found.token.get_secret_value()) == ("key", "to")
    assert found.mail_key == SecretStr("sixteen letters!")


def test_migrations_need_only_the_address(environment: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with the app's other settings; an address that is missing or wrong is named as for the app."""
    environment.setenv("APP_POOL_SIZE", "many")
    with pytest.raises(SystemExit, match=r"^wrong settings: APP_DATABASE_URL: Field required$"):
        DatabaseSettings.read()
    environment.setenv("APP_DATABASE_URL", URL)
    assert DatabaseSettings.read().connection_parameters["dbname"] == "todos"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_an_address_may_name_a_host_or_a_directory(
    environment: pytest.MonkeyPatch, tmp_path: Path, scheme: str
) -> None:
    """Both libpq forms are taken, from the variable or from the file of a secret; nothing is connected to."""
    environment.setenv("APP_DATABASE_URL", f"{scheme}://ada@localhost:6432/todos")
    assert create_app().title
    environment.delenv("APP_DATABASE_URL")
    secret = tmp_path / "database_url"
    secret.write_text(f"{scheme}://ada@/todos?host=/run/postgresql&port=6432\n", encoding="utf-8")
    environment.setenv("APP_DATABASE_URL_FILE", str(secret))
    assert create_app().title
