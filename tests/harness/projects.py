"""Scratch projects that tests write: files, an Alembic environment, revisions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent, indent

import alembic.config

from harness.config import Config, load_config

TABLE = """
[tool.harness]
app = "NAME.app:create_app"
settings = "NAME.app:Settings"
metadata = "NAME.app:metadata"
migrations = "migrations"
roles = "roles.sql"
role-prefix = "NAME"
database-env = "SHOP_DATABASE_URL"
postgres = 18
supported = [15, 18]
"""
ALEMBIC = '\n[tool.alembic]\nscript_location = "%(here)s/migrations"\n'

ENV = """
from contextlib import nullcontext

from alembic import context

given = context.config.attributes["connection"]
metadata = context.config.attributes.get("metadata")
with given.connect() if hasattr(given, "connect") else nullcontext(given) as connection:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()
"""
"""Runs on an engine or a connection, as `upgrade()` and pytest-alembic hand them over."""

REVISION = """
import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {down!r}
{names}


def upgrade():
{upgrade}


def downgrade():
{downgrade}
"""


def harness_table(name: str = "shop", postgres: int = 18) -> str:
    """Return the table [tool.harness] of a project whose package and roles are called `name`."""
    return TABLE.replace("NAME", name).replace("postgres = 18", f"postgres = {postgres}")


def write_files(root: Path, files: Mapping[str, str]) -> None:
    """Write texts, each without its common indentation, under their paths below `root`."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")


def write_project(root: Path, roles: Path, table: str, files: Mapping[str, str]) -> Config:
    """Write a project: pyproject.toml, a copy of `roles`, migrations without a revision, and `files`."""
    root.mkdir(parents=True, exist_ok=True)
    write_files(root, {"pyproject.toml": table})
    (root / "roles.sql").write_bytes(roles.read_bytes())
    write_environment(root / "migrations")
    write_files(root, files)
    return load_config(root)


def write_environment(folder: Path, env: str = ENV) -> alembic.config.Config:
    """Write an Alembic environment without revisions, and return its configuration."""
    (folder / "versions").mkdir(parents=True)
    write_files(folder, {"env.py": env, "script.py.mako": ""})
    config = alembic.config.Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    return config


def write_revision(
    versions: Path,
    revision: str,
    down: str | tuple[str, ...] | None = None,
    upgrade: str = "",
    downgrade: str = "",
    names: str = "",
) -> Path:
    """Write one revision file and return its path.

    The bodies are lines of Python; a line that begins with a word in capitals is one statement for `op.execute`.
    `names` are further lines of the module, such as `seed = {...}`.
    """
    bodies = {"upgrade": _body(upgrade), "downgrade": _body(downgrade)}
    path = versions / f"{revision}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(REVISION.lstrip().format(revision=revision, down=down, names=names, **bodies), encoding="utf-8")
    return path


def _body(text: str) -> str:
    lines = []
    for line in dedent(text).strip().splitlines() or ["pass"]:
        sql = line[:1].isalpha() and line.split()[0].isupper()
        lines.append(f"op.execute({line!r})" if sql else line)
    return indent("\n".join(lines), "    ")
