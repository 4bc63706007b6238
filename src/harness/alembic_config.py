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


def set_url(settings: alembic.config.Config, url: URL) -> None:
    """Name the database in `sqlalchemy.url`, for an env.py that connects by itself: Alembic's async template."""
    settings.set_main_option("sqlalchemy.url", url.render_as_string(hide_password=False).replace("%", "%%"))


def upgrade(config: Config, url: URL, revision: str = "heads") -> None:
    """Migrate the database at `url`; env.py takes it from `attributes["connection"]` or from `sqlalchemy.url`."""
    engine = create_engine(url, poolclass=NullPool)
    settings = alembic_config(config)
    set_url(settings, url)
    with engine.connect() as connection:
        settings.attributes["connection"] = connection
        alembic.command.upgrade(settings, revision)
