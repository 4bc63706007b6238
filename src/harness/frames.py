"""The frames that are code of the project, not of libraries, and the line that an error comes from."""

from __future__ import annotations

import linecache
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

LIBRARIES = ("harness", "httpx", "httpcore", "psycopg", "sqlalchemy")
"""Packages whose frames show nothing that their error does not say."""


STANDARD = Path(sysconfig.get_path("stdlib"))
"""Where Python's own modules are."""


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


def origin(error: BaseException | None, place: Path) -> str:
    """Return `file.py, line 12: op.add_colum(...)` of an error's last frame in a file or folder; empty without one."""
    file, line = last_line(error, place)
    return f"{file.name}, line {line}: {linecache.getline(str(file), line).strip()}" if line else ""


def faulty_line(error: BaseException) -> tuple[str, int]:
    """Return the file and line of an error's last frame that is no library's; line 0 without one.

    A file that Python cannot read has no frame.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno or 1
    for step in reversed([*steps(error.__traceback__)]):
        if is_written(step):
            return step.tb_frame.f_code.co_filename, step.tb_lineno
    return "", 0


def faulty_source(error: BaseException) -> tuple[str, str]:
    """Return `file.py, line 12` of that line, and its text; empty without one."""
    file, line = faulty_line(error)
    linecache.checkcache(file)
    return (f"{shown(Path(file))}, line {line}", linecache.getline(file, line).strip()) if line else ("", "")


def shown(path: Path) -> str:
    """Return a path as a person reads it: relative if it is below the working directory."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith(os.pardir) else relative


def is_written(step: TracebackType) -> bool:
    """Return whether a frame is code of a project, wherever it is."""
    return is_project(step, Path("/")) and not Path(step.tb_frame.f_code.co_filename).is_relative_to(STANDARD)


def last_line(error: BaseException | None, place: Path) -> tuple[Path, int]:
    """Return the file and line of an error's last frame in a file or folder; line 0 for an error elsewhere."""
    place = place.resolve()
    while error is not None:
        for step in reversed([*steps(error.__traceback__)]):
            file = Path(step.tb_frame.f_code.co_filename).resolve()
            if file == place or place in file.parents:
                return file, step.tb_lineno
        error = error.__cause__ or error.__context__
    return place, 0


def running_line(file: str) -> int | None:
    """Return the line of a file that is running in this thread; None when none is."""
    frame = sys._getframe()
    while frame.f_back and frame.f_code.co_filename != file:
        frame = frame.f_back
    return frame.f_lineno if frame.f_code.co_filename == file else None
