"""An Alembic project, found by its configuration file, and the server that its history is judged on."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import alembic.config

from harness.config import Config, load_config
from harness.errors import HarnessError
from harness.migrations.cache import ResultCache
from harness.migrations.history import History
from harness.migrations.judge import Judge, SchemaRules
from harness.migrations.tracing.scratch_databases import ScratchDatabases
from harness.postgres.admin import Administrator
from harness.postgres.installations import Installation, choose, installations
from harness.postgres.os_account import user_cache
from harness.postgres.roles import Roles
from harness.postgres.server import start_cluster

FALLBACK = 18
"""The major version to ask for if no server is found, so that the error says where it was looked for."""


@dataclass(frozen=True)
class Project:
    """A project's revisions, and its `[tool.harness]`, if any."""

    history: History
    config: Config | None

    @property
    def package(self) -> str:
        """The app's top-level package; "" if it is not known."""
        return self.config.app.partition(":")[0].partition(".")[0] if self.config else ""


def find_project(file: Path | None) -> Project:
    """Return the project of an alembic.ini or a pyproject.toml, by default that of the working directory.

    Raises:
        HarnessError: when there is no such file, or it does not configure Alembic.
    """
    path = file or next((path for name in ("alembic.ini", "pyproject.toml") if (path := Path(name)).is_file()), None)
    if path is None:
        raise HarnessError(
            f"there is no Alembic project in {Path.cwd()}",
            looked_at="alembic.ini and pyproject.toml",
            remedy="run in the project's root, or give --config FILE",
        )
    if not path.is_file():
        raise HarnessError(f"--config {path}: there is no such file", remedy="name an alembic.ini or a pyproject.toml")
    path = path.resolve()
    toml = path if path.suffix == ".toml" else path.with_name("pyproject.toml")
    tables = _tables(toml)
    if path is toml and "alembic" not in tables:
        raise HarnessError(f"{path} has no [tool.alembic] table", remedy="add it, or give --config alembic.ini")
    ini = None if path is toml else str(path)
    found = alembic.config.Config(ini, toml_file=str(toml) if toml.is_file() else None)
    return Project(History(found, path.parent), load_config(path.parent) if "harness" in tables else None)


def _tables(toml: Path) -> set[str]:
    try:
        tables = tomllib.loads(toml.read_text(encoding="utf-8")).get("tool", {})
    except FileNotFoundError:
        return set()
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise HarnessError(f"{toml} cannot be read: {error}", remedy="correct this file") from error
    return set(tables)


def take_server(project: Project, major: int | None, executable: str | None) -> Installation:
    """Choose the Postgres to judge on: the one asked for, else the project's major, else the newest here.

    Raises:
        HarnessError: when nothing fits.
    """
    if project.config:
        default = project.config.postgres
    else:
        default = max((item.major for item in installations()), default=FALLBACK)
    return choose(default, asked=major, executable=executable)


@contextlib.contextmanager
def judging(
    project: Project, installation: Installation, rows: int, schema_rules: SchemaRules | None
) -> Iterator[Judge]:
    """Yield a judge on a new server, which is started when the first revision needs it."""
    with contextlib.ExitStack() as stack:

        def start() -> ScratchDatabases:
            cluster = start_cluster(installation)
            stack.callback(cluster.close)
            administrator = Administrator(cluster.address, cluster.run.path)
            stack.callback(administrator.close)
            roles = Roles(project.config.roles_path, project.config.role_prefix) if project.config else None
            return ScratchDatabases(administrator, roles)

        yield make_judge(project, installation, rows, schema_rules, start)


def make_judge(
    project: Project,
    installation: Installation,
    rows: int,
    schema_rules: SchemaRules | None,
    start: Callable[[], ScratchDatabases],
) -> Judge:
    """Return a judge of a project with a cache of results; `start` gives it a server when it needs one."""
    settings: list[object] = [rows, schema_rules is not None]
    if project.config:
        roles = project.config.roles_path
        settings += [project.config.schema, project.config.role_prefix, roles.is_file() and roles.read_bytes()]
    cache = ResultCache(user_cache() / "traces", project.history, installation, tuple(settings))
    return Judge(project.history, start, rows, schema_rules, cache)
