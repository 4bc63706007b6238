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
from harness.frames import faulty_source, shown

TEXTS = ("app", "metadata", "migrations", "roles", "role-prefix", "database-env")
KINDS: Mapping[str, type] = dict.fromkeys(TEXTS, str) | {"postgres": int, "supported": list}
OPTIONAL: Mapping[str, type] = {
    "settings": str,
    "environment": dict,
    "strict": bool,
    "exemptions": list,
    "schema": dict,
}
"""The keys of `[tool.harness]` as written, and the type of each."""

NAMES = {str: "a text in quotes", int: "a whole number", list: "a list", bool: "true or false", dict: "a table"}


@dataclass(frozen=True, slots=True)
class Config:
    """The project under test.

    `app` is an ASGI app or a factory, which gets an instance of `settings` if it takes an argument; `metadata` is the
    models' `sqlalchemy.MetaData`; each is written `module:attribute`. `migrations` is Alembic's script location and
    `roles` the SQL file of the roles, both relative to `root`. `database_env` is the environment variable that carries
    the app's database address, `environment` has the other variables that the app reads in tests.
    `postgres` is the major version taken by default, `supported` those that the project promises.
    `schema` holds the options of the schema rules as written.
    """

    root: Path
    app: str
    metadata: str
    migrations: Path
    roles: Path
    database_env: str
    role_prefix: str
    postgres: int
    supported: tuple[int, ...]
    settings: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    exemptions: tuple[Exemption, ...] = ()
    schema: Mapping[str, Any] = field(default_factory=dict)

    @property
    def migrations_path(self) -> Path:
        """Alembic's script location as an absolute path.

        Raises:
            HarnessError: when it has no env.py.
        """
        path = self.root / self.migrations
        if not (path / "env.py").is_file():
            raise HarnessError(
                f"[tool.harness] migrations = {str(self.migrations)!r}: there is no {path / 'env.py'}",
                remedy="name the directory that `alembic init` made",
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
            exemption is not one, or `[tool.alembic]` names other migrations.
    """
    path = root / "pyproject.toml"
    document = _read(path)
    _check_single(path, document.get("tool", {}))
    table = document.get("tool", {}).get("harness")
    if not isinstance(table, dict):
        raise HarnessError(f"{path} has no [tool.harness] table", remedy="copy it from the template's pyproject.toml")
    table = {key.replace("_", "-"): value for key, value in table.items()}
    _check_keys(path, table)
    _check_alembic(path, table["migrations"], document["tool"].get("alembic"))
    return Config(
        root=root,
        migrations=Path(table.pop("migrations")),
        roles=Path(table.pop("roles")),
        supported=tuple(table.pop("supported")),
        exemptions=tuple(_exemption(path, item) for item in table.pop("exemptions", [])),
        **{key.replace("-", "_"): value for key, value in table.items()},
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HarnessError(f"{path} cannot be read: {error.strerror}", remedy="run in the project's root") from error
    except ValueError as error:
        raise HarnessError(f"{path} is not valid TOML: {error}", remedy="correct it at that place") from error


def _check_single(path: Path, tool: Mapping[str, Any]) -> None:
    """Refuse several databases: a list of tables, or a table `databases`, as in Alembic's template multidb."""
    tables = {name: table for name in ("harness", "alembic") if isinstance(table := tool.get(name), dict)}
    found = [f"[tool.{name}] databases" for name, table in tables.items() if "databases" in table]
    if isinstance(tool.get("harness"), list):
        found = ["[[tool.harness]]"]
    if found:
        raise HarnessError(
            f"{path}: {found[0]} names several databases, but [tool.harness] describes one, with its migrations",
            remedy="give each further database a folder with its own pyproject.toml, roles, migrations and tests, and "
            "run pytest there (docs/fixtures.md, Two databases)",
        )


def _check_keys(path: Path, table: Mapping[str, Any]) -> None:
    known = {**KINDS, **OPTIONAL}
    for key, value in table.items():
        if key not in known:
            keys = f"the known keys: {', '.join(known)}"
            problem = f"{path}: [tool.harness] has an unknown key {key!r}"
            raise HarnessError(problem, looked_at=keys, remedy="correct or remove it")
        if type(value) is not known[key]:
            problem = f"{path}: [tool.harness] {key} = {value!r} is not {NAMES[known[key]]}"
            raise HarnessError(problem, remedy="correct the value")
    if missing := [key for key in KINDS if key not in table]:
        problem = f"{path}: [tool.harness] lacks {', '.join(missing)}"
        raise HarnessError(problem, remedy="add each, as in the template's pyproject.toml")
    for name, value in table.get("environment", {}).items():
        if type(value) is not str:
            problem = f"{path}: [tool.harness.environment] {name} = {value!r} is not {NAMES[str]}"
            raise HarnessError(problem, remedy="correct the value")
    if not all(type(major) is int for major in table["supported"]):
        problem = f"{path}: [tool.harness] supported = {table['supported']!r} is not a list of majors"
        raise HarnessError(problem, remedy="write a list such as [15, 18]")


def _check_alembic(path: Path, migrations: str, alembic: object) -> None:
    """Refuse other migrations in `[tool.alembic]`, which `python -m harness migrations` reads."""
    location = alembic.get("script_location") if isinstance(alembic, dict) else None
    if not isinstance(location, str) or ":" in location:  # package:directory is Alembic's to find
        return
    root = path.parent
    if Path(root, location.replace("%(here)s", str(root))).resolve() != Path(root, migrations).resolve():
        raise HarnessError(
            f"{path}: [tool.harness] migrations = {migrations!r} and [tool.alembic] script_location = {location!r} "
            "name different directories",
            remedy="name the same directory in both",
        )


def _exemption(path: Path, item: object) -> Exemption:
    texts = item if isinstance(item, dict) and all(isinstance(value, str) for value in item.values()) else {}
    if set(texts) != {"rule", "object", "reason"}:
        problem = f"{path}: [tool.harness] exemptions has an invalid entry: {item!r}"
        raise HarnessError(problem, remedy='write { rule = "…", object = "…", reason = "…" }, and no other key')
    try:
        return Exemption(**texts, file=shown(path))
    except ValueError as error:
        raise HarnessError(f"{path}: {error}", remedy="say why this object may break the rule") from error


def load_object(path: str) -> Any:
    """Import the object that `module:attribute` names.

    Raises:
        HarnessError: when there is no such module or attribute, or its import fails.
    """
    module, _, attribute = path.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (Exception, SystemExit) as error:
        place, source = faulty_source(error)
        mistaken = place and isinstance(error, ImportError | SyntaxError | NameError)
        wrong = "correct this line" if place else "write module:attribute, of a module that can be imported"
        setting = 'give a setting that is missing in [tool.harness.environment], such as API_KEY = "…"'
        raise HarnessError(
            f"[tool.harness] names {path!r}, which cannot be loaded: {cause(error)}",
            looked_at=f"{place}: {source}" if place else (),
            remedy=wrong if mistaken else (wrong, setting),
        ) from error


def cause(error: BaseException) -> str:
    """Return an error in one line; of pydantic's each invalid field."""
    if callable(errors := getattr(error, "errors", None)):
        return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in errors())
    kind = "" if isinstance(error, ImportError | AttributeError | SystemExit) else f"{type(error).__name__}: "
    return f"{kind}{error}"
