"""The frames of a traceback that are code of the project, not of libraries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

LIBRARIES = ("harness", "httpx", "httpcore", "psycopg", "sqlalchemy")
"""Packages whose frames show nothing that their error does not say."""


def steps(traceback: TracebackType | None) -> Iterator[TracebackType]:
    """Yield the frames of a traceback with their lines, the outermost first."""
    while traceback:
        yield traceback
        traceback = traceback.tb_next


def joined(kept: Iterable[TracebackType]) -> TracebackType | None:
    """Return a traceback of these frames only."""
    made: TracebackType | None = None
    for step in reversed([*kept]):
        made = TracebackType(made, step.tb_frame, step.tb_lasti, step.tb_lineno)
    return made


def is_project(step: TracebackType, root: Path) -> bool:
    """Return whether a frame is code of the project in `root`."""
    path = Path(step.tb_frame.f_code.co_filename)
    return path.is_relative_to(root) and "site-packages" not in path.parts and package(step) not in LIBRARIES


def package(step: TracebackType) -> str:
    """Return the top-level package whose code a frame is in."""
    return str(step.tb_frame.f_globals.get("__name__", "")).partition(".")[0]


def shorten(error: BaseException, root: Path) -> None:
    """Leave in the traceback of an error, and in those of its causes, the frames of the project.

    An error that did not come through the project keeps its own.
    """
    kept = joined(step for step in steps(error.__traceback__) if is_project(step, root))
    error.__traceback__ = kept or error.__traceback__
    while cause := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        cause.__traceback__ = joined(step for step in steps(cause.__traceback__) if is_project(step, root))
        error = cause
