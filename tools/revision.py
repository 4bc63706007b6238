"""Write a migration for the changes of the models, and list it in the app's head.py; or renumber a branch's revisions.

The models are compared with a fresh database at head, so the state of a development database does not matter.
"""

from __future__ import annotations

import argparse
import contextlib
import io
from pathlib import Path
from typing import Any

import alembic.command
from alembic.operations.ops import MigrationScript
from sqlalchemy import Engine

from harness.alembic_config import alembic_config, check_history, head_file, refuse_conflict
from harness.config import Config, load_config
from harness.errors import HarnessError
from harness.frames import shown
from harness.migration_errors import CORRECT, migration_errors
from harness.run import Choice, Run
from tools.cli import error_exit
from tools.head import check_head, update_head
from tools.renumber import renumber

ROOT = Path(__file__).resolve().parent.parent


def drop_empty(_context: Any, _revision: Any, directives: list[MigrationScript]) -> None:
    """Drop a migration without operations, so that Alembic writes no file."""
    upgrade = directives[0].upgrade_ops
    if upgrade is None or upgrade.is_empty():
        directives.clear()


def write_revision(config: Config, message: str) -> Path | None:
    """Write the migration, and run it; return its file, or None when models and migrations agree.

    Raises:
        HarnessError: when a revision fails, or there are two heads. If it is the new one, its file is kept.
    """
    with contextlib.closing(Run(config, Choice(config.postgres))) as run:
        engine = run.databases.create(migrated=True).engine
        before = {*config.migrations_path.rglob("*.py")}
        try:
            return _autogenerate(config, engine, message)
        except HarnessError as error:
            kept = sorted({*config.migrations_path.rglob("*.py")} - before)
            if not kept:
                raise
            known = [each for each in error.remedy if each != CORRECT]
            again = f"correct {shown(kept[0])}, which was kept, or delete it; then run the same command again"
            raise HarnessError(error.what, looked_at=error.looked_at, remedy=[*known, again]) from error


def _autogenerate(config: Config, engine: Engine, message: str) -> Path | None:
    """Write the migration, then run it up, down, and up again: what the downgrade leaves would be in the way."""
    settings = alembic_config(config)
    with migration_errors(config.migrations_path), engine.connect() as connection:
        settings.attributes["connection"] = connection
        with contextlib.redirect_stdout(io.StringIO()):  # what Alembic says about its steps
            script = alembic.command.revision(
                settings, message, autogenerate=True, process_revision_directives=drop_empty
            )
        if script is None or isinstance(script, list):
            return None
        alembic.command.upgrade(settings, script.revision)
        alembic.command.downgrade(settings, "-1")
        alembic.command.upgrade(settings, script.revision)
    return Path(script.path)


def revise(message: str) -> None:
    """Write a revision, list it, and print its path."""
    config = load_config(ROOT)
    refuse_conflict(config)
    check_history(config)
    check_head(config)
    written = write_revision(config, message)
    head = update_head(config)
    if written is None:
        print("revision: models and migrations agree, so no file was written")
    else:
        print(
            f"revision: wrote {written.relative_to(ROOT)}\n"
            f"  {head.relative_to(ROOT)} lists it\n"
            "  read it before you commit it: autogenerate writes a rename as a drop and an add"
        )


def put_last() -> None:
    """Renumber this branch's revisions, and print the files."""
    config = load_config(ROOT)
    moved = renumber(config)
    for former, path in moved:
        print(f"revision: {former} is now {path.relative_to(ROOT)}")
    if moved:
        print("  if your development database has run it under its former id: python3 run.py dev --fresh")
    else:
        print(f"revision: the revisions are in order; {head_file(config).relative_to(ROOT)} lists them")


def main() -> None:
    """Write a revision with the typed message, or renumber."""
    parser = argparse.ArgumentParser("revision", description=__doc__)
    parser.add_argument("message", nargs="*", help="what changes")
    parser.add_argument("--renumber", action="store_true", help="put this branch's revisions last, after a merge")
    options = parser.parse_args()
    message = " ".join(options.message).strip()
    with error_exit("revision"):
        if bool(message) is options.renumber:
            raise HarnessError(
                "a revision needs a message, and --renumber takes none",
                remedy=('python3 run.py revision "add due date"', "after a merge: python3 run.py revision --renumber"),
            )
        put_last() if options.renumber else revise(message)


if __name__ == "__main__":
    main()
