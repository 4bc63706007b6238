"""Write a migration for the changes of the models, and set the app's head revision to it.

The models are compared with a fresh database at head, so the state of a development database does not matter.
"""

from __future__ import annotations

import contextlib
import re
import sys
from pathlib import Path
from typing import Any

import alembic.command
from alembic.operations.ops import MigrationScript

from harness.alembic_config import alembic_config
from harness.config import Config, load_config
from harness.errors import HarnessError
from harness.run import Choice, Run
from tools.cli import error_exit
from tools.migration_errors import migration_errors

ROOT = Path(__file__).resolve().parent.parent


def head_file(config: Config) -> Path:
    """Return the path of `head.py` in the models' package, which tells the app its head revision."""
    package = config.metadata.partition(":")[0]
    return config.root / "src" / Path(*package.split(".")) / "head.py"


def write_head(path: Path, revision: str) -> None:
    """Set the constant HEAD in the file at `path` to `revision`.

    Raises:
        HarnessError: when the file does not exist or has no such constant.
    """
    found = path.read_text(encoding="utf-8") if path.is_file() else ""
    text, count = re.subn(r'(?m)^(HEAD\b.*?=\s*)"[^"]*"', rf'\g<1>"{revision}"', found)
    if count != 1:
        raise HarnessError(
            f'{path} has {count} lines HEAD = "…" instead of one, so the head revision was not written',
            remedy=f'write HEAD = "{revision}" into it',
        )
    path.write_text(text, encoding="utf-8")


def drop_empty(_context: Any, _revision: Any, directives: list[MigrationScript]) -> None:
    """Drop a migration without operations, so that Alembic writes no file."""
    upgrade = directives[0].upgrade_ops
    if upgrade is None or upgrade.is_empty():
        directives.clear()


def write_revision(config: Config, message: str) -> tuple[str, Path] | None:
    """Write the migration, and return its revision and file; None when models and migrations agree.

    Raises:
        HarnessError: when a revision fails, or when there are two heads.
    """
    settings = alembic_config(config)
    with (
        contextlib.closing(Run(config, Choice(config.postgres))) as run,
        migration_errors(config),
        run.databases.create(migrated=True).engine.connect() as connection,
    ):
        settings.attributes["connection"] = connection
        script = alembic.command.revision(settings, message, autogenerate=True, process_revision_directives=drop_empty)
    if script is None or isinstance(script, list):
        return None
    return script.revision, Path(script.path)


def revise(message: str) -> None:
    """Write a revision, and print its path."""
    config = load_config(ROOT)
    head = head_file(config)
    written = write_revision(config, message)
    if written is None:
        print("revision: models and migrations agree, so no file was written")
        return
    revision, path = written
    write_head(head, revision)
    print(
        f"revision: wrote {path.relative_to(ROOT)}\n"
        f"  {head.relative_to(ROOT)} has its number now\n"
        "  read it before you commit it: autogenerate writes a rename as a drop and an add"
    )


def main() -> None:
    """Write a revision with the typed message."""
    message = " ".join(sys.argv[1:]).strip()
    with error_exit("revision"):
        if not message or message.startswith("-"):
            raise HarnessError("a revision needs a message", remedy='nox -s revision -- "add due date"')
        revise(message)


if __name__ == "__main__":
    main()
