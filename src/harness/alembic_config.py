"""Alembic's configuration of the project, and an upgrade over a given address."""

from __future__ import annotations

import alembic.command
import alembic.config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, create_engine
from sqlalchemy.pool import NullPool

from harness.config import Config


def alembic_config(config: Config) -> alembic.config.Config:
    """Return Alembic's configuration of the project: `[tool.alembic]` of its pyproject.toml."""
    found = alembic.config.Config(toml_file=config.root / "pyproject.toml")
    found.set_main_option("script_location", str(config.migrations_path).replace("%", "%%"))
    return found


def script_directory(config: Config) -> ScriptDirectory:
    """Return the project's revisions."""
    return ScriptDirectory.from_config(alembic_config(config))


def upgrade(config: Config, url: URL, revision: str = "heads") -> None:
    """Migrate the database at `url` to `revision`, over a connection that env.py takes from `attributes`."""
    engine = create_engine(url, poolclass=NullPool)
    settings = alembic_config(config)
    with engine.connect() as connection:
        settings.attributes["connection"] = connection
        alembic.command.upgrade(settings, revision)
