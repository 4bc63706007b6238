"""`[tool.harness]` of pyproject.toml, read once and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.findings import Exemption

TEXTS = ("app", "settings", "metadata", "migrations", "roles", "role-prefix", "database-env")
KINDS: Mapping[str, type] = dict.fromkeys(TEXTS, str) | {"postgres": int, "supported": list}
OPTIONAL: Mapping[str, type] = {"strict": bool, "exemptions": list, "schema": dict}
"""The keys of `[tool.harness]` as they are written, and what each holds."""

NAMES = {str: "a text in quotes", int: "a whole number", list: "a list", bool: "true or false", dict: "a table"}


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
        """Alembic's script location as an absolute path.

        Raises:
            HarnessError: when no env.py is there.
        """
        path = self.root / self.migrations
        if not (path / "env.py").is_file():
            raise HarnessError(
                f"[tool.harness] migrations = {str(self.migrations)!r}: there is no {path / 'env.py'}\n"
                "  remedy: name the directory that `alembic init` made"
            )
        return path

    @property
    def roles_path(self) -> Path:
        """The SQL file of the roles as an absolute path."""
        return self.root / self.roles


def load_config(root: Path) -> Config:
    """Read `[tool.harness]` of `root`/pyproject.toml.

    Raises:
        HarnessError: when the file or the table is missing, a key is unknown or missing, a value is of another kind, an
            exemption is not one, or Alembic is told of other migrations.
    """
    path = root / "pyproject.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HarnessError(f"{path} cannot be read ({error.strerror}): run from the project's root") from error
    except ValueError as error:
        raise HarnessError(f"{path} is not valid TOML: {error}") from error
    table = document.get("tool", {}).get("harness")
    if not isinstance(table, dict):
        raise HarnessError(f"{path} has no [tool.harness] table: copy it from the template's pyproject.toml")
    table = {key.replace("_", "-"): value for key, value in table.items()}
    try:
        _check_keys(table)
        _check_alembic(root, table["migrations"], document["tool"].get("alembic"))
        exemptions = tuple(map(_exemption, table.pop("exemptions", [])))
    except ValueError as error:
        raise HarnessError(f"{path}: {error}") from error
    return Config(
        root=root,
        migrations=Path(table.pop("migrations")),
        roles=Path(table.pop("roles")),
        supported=tuple(table.pop("supported")),
        exemptions=exemptions,
        **{key.replace("-", "_"): value for key, value in table.items()},
    )


def _check_keys(table: Mapping[str, Any]) -> None:
    """Refuse, by a ValueError, what is no configuration."""
    known = {**KINDS, **OPTIONAL}
    for key, value in table.items():
        if key not in known:
            raise ValueError(f"[tool.harness] has an unknown key {key!r}; known are {', '.join(known)}")
        if type(value) is not known[key]:
            raise ValueError(f"[tool.harness] {key} = {value!r}: expected {NAMES[known[key]]}")
    if missing := [key for key in KINDS if key not in table]:
        raise ValueError(f"[tool.harness] lacks {', '.join(missing)}")
    if not all(type(major) is int for major in table["supported"]):
        raise ValueError(f"[tool.harness] supported = {table['supported']!r}: expected majors, such as [15, 18]")


def _check_alembic(root: Path, migrations: str, alembic: object) -> None:
    """Refuse, by a ValueError, other migrations in `[tool.alembic]`, which `python -m harness migrations` reads."""
    location = alembic.get("script_location") if isinstance(alembic, dict) else None
    if not isinstance(location, str) or ":" in location:  # package:directory is Alembic's to find
        return
    if Path(root, location.replace("%(here)s", str(root))).resolve() != Path(root, migrations).resolve():
        raise ValueError(
            f"[tool.harness] migrations = {migrations!r} and [tool.alembic] script_location = {location!r} are two "
            "places: name the same in both"
        )


def _exemption(item: object) -> Exemption:
    texts = item if isinstance(item, dict) and all(isinstance(value, str) for value in item.values()) else {}
    if set(texts) != {"rule", "object", "reason"}:
        raise ValueError(f"[tool.harness] exemptions: {item!r} should have a rule, an object and a reason, and no more")
    return Exemption(**texts)


def load_object(path: str) -> Any:
    """Import what `module:attribute` names.

    Raises:
        HarnessError: when the module or the attribute is not there.
    """
    module, _, attribute = path.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise HarnessError(f"[tool.harness] names {path!r}, which cannot be loaded: {error}") from error
