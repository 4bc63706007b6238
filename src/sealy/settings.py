"""The settings, read from environment variables: APP_…, and for a secret also APP_…_FILE, the path of a file."""

from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SHAPE = "expected postgresql://user@host:5432/database or postgresql://user@/database?host=/socket/directory"
SECRETS = ("database_url", "edge_key")


class Settings(BaseSettings):
    """The app's settings; times are in seconds.

    A process opens at most `pool_size` connections; the database must allow `2 x instances x pool_size`. `prepare` must
    be false behind a pooler that does not support prepared statements. With `edge_key`, only requests that carry it are
    served. `tag_statements` appends the route to each statement. `python -m sealy` listens on `host` and `port`.
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
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535, validation_alias="PORT")  # as platforms set it, without APP_

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name in SECRETS:
            if path := values.pop(f"{name}_file", None):
                variable = f"APP_{name}".upper()
                if name in values:
                    raise ValueError(f"{variable} and {variable}_FILE are both set: unset one of them")
                try:
                    values[name] = Path(path).read_text(encoding="utf-8").strip()
                except (OSError, UnicodeDecodeError) as error:
                    raise ValueError(f"{variable}_FILE: cannot read {str(path)!r}: {error}") from error
        return values

    @field_validator("database_url")
    @classmethod
    def _is_a_uri(cls, value: SecretStr) -> SecretStr:
        _parameters(value.get_secret_value())
        return value

    @property
    def connection_parameters(self) -> dict[str, Any]:
        """Keyword arguments of `psycopg.connect`; the URL's own parameters win over these defaults."""
        return {
            "application_name": "sealy",
            "client_encoding": "utf8",
            "connect_timeout": self.connect_timeout,
            "tcp_user_timeout": 10_000,  # milliseconds until a connection is lost that acknowledges nothing
            **_parameters(self.database_url.get_secret_value()),
        }


def _parameters(url: str) -> dict[str, Any]:
    url = url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        parameters = conninfo_to_dict(url) if url.startswith(("postgresql://", "postgres://")) else {}
    except psycopg.Error:
        parameters = {}
    ports = str(parameters.get("port", "5432")).split(",")
    if "dbname" not in parameters or not all(port.isdecimal() and 0 < int(port) < 65536 for port in ports):
        raise ValueError(SHAPE)
    return dict(parameters)


def read_settings() -> Settings:
    """Read the environment, or exit with one line that names every wrong variable and shows no secret."""
    try:
        return Settings()
    except ValidationError as error:
        raise SystemExit(f"wrong settings: {'; '.join(map(_line, error.errors(include_url=False)))}") from None


def _line(error: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ").replace("\n", " ")
    name = str(error["loc"][0]) if error["loc"] else ""
    variable = name if name.isupper() else f"APP_{name}".upper()
    shown = "" if name in SECRETS or error["type"] == "missing" else f" (got {error['input']!r})"
    return f"{variable}: {message}{shown}" if name else message
