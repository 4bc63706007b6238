"""`[tool.harness]` of pyproject.toml, read once and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from harness.findings import Exemption


class HarnessError(Exception):
    """The harness cannot do its work; the text says what happened, where it looked and what to do. Exit code 2."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the harness knows of the project that it tests.

    `app` is a factory that takes an instance of `settings`; `metadata` is the models' `sqlalchemy.MetaData`; each is
    written `module:attribute`. `migrations` is Alembic's script location and `roles` the SQL file of the roles, both
    relative to `root`. `database_env` is the environment variable that carries the app's database address.
    `postgres` is the major version taken when none is asked for, `supported` all that the project promises.
    `schema` holds the options of the schema rules as written.
    """

    root: Path
    app: str
    settings: str
    metadata: str
    migrations: Path
    roles: Path
    database_env: str
    role_prefix: str
    postgres: int
    supported: tuple[int, ...]
    strict: bool = False
    exemptions: tuple[Exemption, ...] = ()
    schema: Mapping[str, Any] = field(default_factory=dict)

    @property
    def migrations_path(self) -> Path:
        """Alembic's script location as an absolute path."""
        return self.root / self.migrations

    @property
    def roles_path(self) -> Path:
        """The SQL file of the roles as an absolute path."""
        return self.root / self.roles


def load_config(root: Path) -> Config:
    """Read `[tool.harness]` of `root`/pyproject.toml.

    Raises:
        HarnessError: when the file or the table is missing, a key is unknown or missing, or an exemption is not one.
    """
    path = root / "pyproject.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HarnessError(f"{path} cannot be read ({error.strerror}): run from the project's root") from error
    except tomllib.TOMLDecodeError as error:
        raise HarnessError(f"{path} is not valid TOML: {error}") from error
    table = document.get("tool", {}).get("harness")
    if not isinstance(table, dict):
        raise HarnessError(f"{path} has no [tool.harness] table: copy it from the template's pyproject.toml")
    table = {key.replace("-", "_"): value for key, value in table.items()}
    known = set(Config.__dataclass_fields__) - {"root"}
    for key in table:
        if key not in known:
            raise HarnessError(
                f"{path}: [tool.harness] has an unknown key {key!r}; known are {', '.join(sorted(known))}"
            )
    required = known - {"strict", "exemptions", "schema"}
    if missing := sorted(required - set(table)):
        raise HarnessError(f"{path}: [tool.harness] lacks {', '.join(missing)}")
    try:
        exemptions = tuple(Exemption(**item) for item in table.pop("exemptions", []))
    except (TypeError, ValueError) as error:
        raise HarnessError(f"{path}: {error}") from error
    return Config(
        root=root,
        migrations=Path(table.pop("migrations")),
        roles=Path(table.pop("roles")),
        supported=tuple(table.pop("supported")),
        exemptions=exemptions,
        **table,
    )


def load_object(path: str) -> Any:
    """Import what `module:attribute` names.

    Raises:
        HarnessError: when the module or the attribute is not there.
    """
    module, _, attribute = path.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise HarnessError(f"[tool.harness] names {path!r}, which cannot be loaded: {error}") from error
