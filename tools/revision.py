"""Write a migration from what the models have and the migrations lack, and move the app's head to it.

The models are compared with a fresh database at head, so that a development database, with whatever was tried out in
it, decides nothing.
"""

from __future__ import annotations

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
USAGE = 'say in a few words what changes: nox -s revision -- "add due date"'


def head_file(config: Config) -> Path:
    """The module that tells the app its head revision: `head.py` beside the models' package."""
    package = config.metadata.partition(":")[0]
    return config.root / "src" / Path(*package.split(".")) / "head.py"


def write_head(path: Path, revision: str) -> None:
    """Put `revision` into the constant HEAD of the file at `path`.

    Raises:
        HarnessError: when the file holds no such constant, or is not there.
    """
    found = path.read_text(encoding="utf-8") if path.is_file() else ""
    text, count = re.subn(r'(?m)^(HEAD\b.*?=\s*)"[^"]*"', rf'\g<1>"{revision}"', found)
    if count != 1:
        raise HarnessError(
            f'{path} should hold one line HEAD = "…", and holds {count}: put {revision!r} there by hand.'
        )
    path.write_text(text, encoding="utf-8")


def drop_empty(_context: Any, _revision: Any, directives: list[MigrationScript]) -> None:
    """Write no file for a migration that would do nothing."""
    upgrade = directives[0].upgrade_ops
    if upgrade is None or upgrade.is_empty():
        directives.clear()


def write_revision(config: Config, message: str) -> tuple[str, Path] | None:
    """Write the migration; its revision and file, or None when models and migrations agree.

    Raises:
        HarnessError: when the revisions that are there cannot be run, or have two heads.
    """
    session = Run(config, Choice(config.postgres))
    try:
        settings = alembic_config(config)
        with migration_errors(config), session.databases.create(migrated=True).engine.connect() as connection:
            settings.attributes["connection"] = connection
            script = alembic.command.revision(
                settings, message, autogenerate=True, process_revision_directives=drop_empty
            )
    finally:
        session.close()
    if script is None or isinstance(script, list):
        return None
    return script.revision, Path(script.path)


def revise(message: str) -> None:
    """Write a revision, and print where it is."""
    config = load_config(ROOT)
    head = head_file(config)
    written = write_revision(config, message)
    if written is None:
        print("revision: the models and the migrations agree, so no file was written")
        return
    revision, path = written
    write_head(head, revision)
    print(
        f"revision: wrote {path.relative_to(ROOT)}, and {head.relative_to(ROOT)} names it\n"
        "  read it before you commit it: autogenerate misses renames, and the rules judge the rest"
    )


def main() -> None:
    """Write a revision of what was typed, or say why not."""
    message = " ".join(sys.argv[1:]).strip()
    with error_exit("revision"):
        if not message or message.startswith("-"):
            raise HarnessError(USAGE)
        revise(message)


if __name__ == "__main__":
    main()
