"""Alembic's configuration of the project, its revisions, and an upgrade over a given address."""

from __future__ import annotations

from pathlib import Path

import alembic.command
import alembic.config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, create_engine
from sqlalchemy.pool import NullPool

from harness.config import Config
from harness.errors import HarnessError
from harness.frames import shown
from harness.migration_errors import APART, migration_errors


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


def check_history(config: Config) -> None:
    """Load every revision.

    Raises:
        HarnessError: when one cannot be loaded, two have one id, or two are the last; branches with labels may end
            apart.
    """
    with migration_errors(config.migrations_path):
        scripts = script_directory(config)
        heads = [script for script in scripts.get_revisions(scripts.get_heads()) if not script.branch_labels]
    if len(heads) > 1:
        names = " and ".join(sorted(script.revision for script in heads))
        raise HarnessError(
            f"the history has {len(heads)} heads: {names}",
            looked_at=sorted(shown(Path(script.path)) for script in heads),
            remedy=APART,
        )


def upgrade(config: Config, url: URL, revision: str = "heads") -> None:
    """Migrate the database at `url`; env.py takes it from `attributes["connection"]` or from `sqlalchemy.url`.

    Raises:
        HarnessError: when env.py or a revision fails, with the line.
    """
    engine = create_engine(url, poolclass=NullPool)
    settings = alembic_config(config)
    set_url(settings, url)
    check_history(config)
    with migration_errors(config.migrations_path), engine.connect() as connection:
        settings.attributes["connection"] = connection
        alembic.command.upgrade(settings, revision)


def head_file(config: Config) -> Path:
    """Return the path of `head.py` in the models' package, which lists the revisions that the app knows."""
    package = config.metadata.partition(":")[0]
    return config.root / "src" / Path(*package.split(".")) / "head.py"


def refuse_conflict(config: Config) -> None:
    """Refuse a `head.py` in which git has left the revisions of two branches.

    Raises:
        HarnessError: when it has conflict markers.
    """
    path = head_file(config)
    if path.is_file() and "\n<<<<<<< " in path.read_text(encoding="utf-8"):
        raise HarnessError(
            f"{shown(path)} has conflict markers: both branches of this merge have added a revision", remedy=APART
        )
