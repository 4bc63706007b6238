"""What the tools say when the project's migrations cannot be read or run: the line that failed, and why."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path

from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError

from harness.config import Config, HarnessError


@contextlib.contextmanager
def migrating(config: Config) -> Iterator[None]:
    """Run what reads or runs the project's migrations.

    Raises:
        HarnessError: with the line that failed, where Alembic, env.py or a revision raises; what fails elsewhere is
            raised as it is.
    """
    try:
        yield
    except CommandError as error:
        raise HarnessError(f"Alembic refuses {config.migrations_path}: {error}") from error
    except Exception as error:
        if not (place := _place(error, config.migrations_path)):
            raise
        raise HarnessError(f"{place}: {type(error).__name__}: {_said(error)}") from error


def _place(error: Exception, migrations: Path) -> str:
    """The line below `migrations` that failed, one of a revision before any other; empty when it failed elsewhere."""
    if isinstance(error, SyntaxError) and Path(error.filename or "").is_relative_to(migrations):
        return f"{error.filename}, line {error.lineno}"
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if migrations in Path(frame.filename).parents
    ]
    revisions = [frame for frame in frames if Path(frame.filename).parent != migrations]
    return next((f"{frame.filename}, line {frame.lineno}" for frame in reversed(revisions or frames)), "")


def _said(error: Exception) -> str:
    """What the server or Python says, with the statement that it was said of."""
    if isinstance(error, SyntaxError):
        return f"{error.msg}: {(error.text or '').strip()}"
    if isinstance(error, DBAPIError):
        return f"{error.orig}\n  statement: {' '.join((error.statement or '').split())}"
    return str(error)
