"""What the environment decides: variables named APP_…, a secret also as the file that APP_…_FILE names."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SHAPE = "expected postgresql://user@host:5432/database or postgresql://user@/database?host=/socket/directory"

SECRETS = ("database_url", "edge_key")
"""Settings that may be given as a file, and are never shown."""


class SettingsError(Exception):
    """A setting is missing or wrong; the text is one line that names the variable."""


class Settings(BaseSettings):
    """The app's settings; times are in seconds.

    `pool_size` connections serve one process, no more: the database must allow `2 x instances x pool_size` of them.
    `prepare` must be false behind a pooler that does not follow prepared statements. The limits on a statement and on
    a lock are set on the database role (deploy/db/roles.sql). With `edge_key` only requests that carry it are served.
    `tag_statements` writes the route into each statement, for pg_stat_statements.
    """

    model_config = SettingsConfigDict(env_prefix="APP_", extra="ignore", frozen=True)

    database_url: SecretStr
    database_url_file: Path | None = None
    pool_size: int = Field(default=5, ge=1, le=40)
    pool_timeout: float = Field(default=5.0, gt=0, le=60)
    connect_timeout: int = Field(default=5, ge=2, le=60)
    prepare: bool = True
    docs: bool = True
    edge_key: SecretStr | None = Field(default=None, min_length=16)
    edge_key_file: Path | None = None
    metrics: bool = True
    server_timing: bool = True
    tag_statements: bool = True
    access_log: bool = True
    log_format: Literal["text", "json"] = "text"

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        secrets = {name: _read_secret(name, values) for name in SECRETS if values.get(f"{name}_file") is not None}
        return {**values, **secrets}

    @field_validator("database_url")
    @classmethod
    def _is_a_libpq_uri(cls, value: SecretStr) -> SecretStr:
        try:
            parameters = _parameters(value.get_secret_value())
        except psycopg.Error as error:
            raise ValueError(SHAPE) from error
        ports = str(parameters.get("port", "5432")).split(",")
        if "dbname" not in parameters or not all(port.isdecimal() and 0 < int(port) < 65536 for port in ports):
            raise ValueError(SHAPE)
        return value

    @property
    def connection_parameters(self) -> dict[str, Any]:
        """Keyword arguments of `psycopg.connect`, and of `connect_args` with the URL `postgresql+psycopg://`.

        The address wins over the defaults given here. `tcp_user_timeout` (milliseconds) ends a connection whose other
        side has vanished without a word.
        """
        return {
            "application_name": "sealy",
            "client_encoding": "utf8",
            "connect_timeout": self.connect_timeout,
            "tcp_user_timeout": 10_000,
            **_parameters(self.database_url.get_secret_value()),
        }


def _read_secret(name: str, values: dict[str, Any]) -> str:
    """The secret in the file that the setting `name`_file names.

    Raises:
        ValueError: when the secret is given twice, or the file cannot be read.
    """
    path, variable = values[f"{name}_file"], f"APP_{name}".upper()
    if name in values:
        raise ValueError(f"{variable} and {variable}_FILE are both set: keep one")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"{variable}_FILE: {str(path)!r} cannot be read: {reason}") from error


def _parameters(url: str) -> dict[str, Any]:
    """Take a URI apart as libpq does.

    Raises:
        psycopg.ProgrammingError: when it is not a libpq URI.
    """
    url = url.replace("postgresql+psycopg://", "postgresql://", 1)
    if not url.startswith(("postgresql://", "postgres://")) or "\0" in url:
        raise psycopg.ProgrammingError("not a URI")
    return dict(conninfo_to_dict(url))


def read_settings() -> Settings:
    """Read the environment.

    Raises:
        SettingsError: with every wrong variable on one line, and without any secret.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(map(_line, error.errors(include_url=False)))) from None


def _line(error: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ").replace("\n", " ")
    if not error["loc"]:
        return message
    name = f"APP_{error['loc'][0]}".upper()
    secret = error["loc"][0] in SECRETS
    return f"{name}: {message}" if secret else f"{name}: {message} (it is {error['input']!r})"
