"""Errors of the project's migrations, as the tools report them: the line that failed, and why."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError

from harness.config import Config
from harness.errors import HarnessError
from harness.migrations.error_origin import origin


@contextlib.contextmanager
def migration_errors(config: Config) -> Iterator[None]:
    """Run what loads or runs the project's migrations; an error from elsewhere is raised unchanged.

    Raises:
        HarnessError: when Alembic, env.py or a revision raises, with the line that failed.
    """
    place = config.migrations_path
    try:
        yield
    except CommandError as error:
        merge = "correct the revisions; of two heads, give one the other as its down_revision"
        raise HarnessError(f"Alembic rejects the migrations: {error}", looked_at=str(place), remedy=merge) from error
    except Exception as error:
        if not (line := _line(error, place)):
            raise
        reason = f"{type(error).__name__}: {_reason(error)}"
        raise HarnessError(reason, looked_at=f"{line} (in {place})", remedy="correct this line") from error


def _line(error: Exception, place: Path) -> str:
    """Return the line below `place` that failed, preferably a revision's; "" when it failed elsewhere."""
    if isinstance(error, SyntaxError) and Path(error.filename or "").is_relative_to(place):
        return f"{Path(error.filename or '').name}, line {error.lineno}: {(error.text or '').strip()}"
    return origin(error, place / "versions") or origin(error, place)


def _reason(error: Exception) -> str:
    """Return what Python or the server says, with the statement that the server rejected."""
    if isinstance(error, SyntaxError):
        return error.msg
    if isinstance(error, DBAPIError):
        return f"{error.orig}\n  statement: {' '.join((error.statement or '').split())}"
    return str(error)
