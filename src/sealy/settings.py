"""The settings, read from environment variables: APP_…, or APP_…_FILE, the path of a file with the value."""

import os
from pathlib import Path
from typing import Any, Literal, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseSettings):
    """What migrations read: the address of the database, whatever else the app requires."""

    model_config = SettingsConfigDict(env_prefix="APP_", extra="ignore", frozen=True, hide_input_in_errors=True)

    database_url: SecretStr
    connect_timeout: int = Field(default=5, ge=2, le=60)

    @classmethod
    def read(cls) -> Self:
        """Read the environment, or exit with one line that names every wrong variable and shows no value."""
        try:
            return cls()
        except ValueError as error:
            lines = map(_line, error.errors(include_url=False)) if isinstance(error, ValidationError) else [str(error)]
            raise SystemExit(f"wrong settings: {'; '.join(lines)}") from None

    @model_validator(mode="before")
    @classmethod
    def _read_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        for key in (str(field.validation_alias or name) for name, field in cls.model_fields.items()):
            variable = _variable(key)
            if (path := os.environ.get(f"{variable}_FILE")) is not None:
                if key in values:
                    raise ValueError(f"{variable} and {variable}_FILE are both set: unset one of them")
                try:
                    values[key] = Path(path).read_text(encoding="utf-8").strip()
                except (OSError, UnicodeDecodeError) as error:
                    raise ValueError(f"{variable}_FILE: cannot read {path!r}: {error}") from error
        return values

    @field_validator("database_url")
    @classmethod
    def _is_a_uri(cls, value: SecretStr) -> SecretStr:
        _parameters(value.get_secret_value())
        return value

    @property
    def connection_parameters(self) -> dict[str, Any]:
        """Keyword arguments of `psycopg.connect`; the URL's own parameters win over these defaults."""
        named = {"application_name": "sealy", "client_encoding": "utf8", "connect_timeout": self.connect_timeout}
        lost = {"tcp_user_timeout": 10_000}  # milliseconds until a connection is lost that acknowledges nothing
        return {**named, **lost, **_parameters(self.database_url.get_secret_value())}


class Settings(DatabaseSettings):
    """The app's settings; times are in seconds.

    A process opens at most `pool_size` connections; the database must allow `2 x instances x pool_size`. `prepare` must
    be false behind a pooler that does not support prepared statements. With `edge_key`, only requests that carry it are
    served. `tag_statements` appends the route to each statement. `python -m sealy` listens on `host` and `port`.
    """

    pool_size: int = Field(default=5, ge=1, le=40)
    pool_timeout: float = Field(default=5.0, gt=0, le=60)
    prepare: bool = True
    docs: bool = True
    edge_key: SecretStr | None = Field(default=None, min_length=16)
    metrics: bool = True
    server_timing: bool = True
    tag_statements: bool = True
    access_log: bool = True
    log_format: Literal["text", "json"] = "text"
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535, validation_alias="PORT")  # as platforms set it, without APP_


def _parameters(url: str) -> dict[str, Any]:
    url = url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        parameters = conninfo_to_dict(url) if url.startswith(("postgresql://", "postgres://")) else {}
    except psycopg.Error:
        parameters = {}
    ports = str(parameters.get("port", "5432")).split(",")
    if "dbname" not in parameters or not all(port.isdecimal() and 0 < int(port) < 65536 for port in ports):
        raise ValueError("expected postgresql://user@host:5432/database or postgresql://user@/database?host=/socket")
    return dict(parameters)


def _line(error: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ").replace("\n", " ")
    return f"{_variable(str(error['loc'][0]))}: {message}" if error["loc"] else message


def _variable(key: str) -> str:
    return key if key.isupper() else f"APP_{key}".upper()
