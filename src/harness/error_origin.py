"""The line of the project's files from which an exception or a statement comes."""

from __future__ import annotations

import linecache
import sys
import traceback
from pathlib import Path


def origin(error: BaseException | None, place: Path) -> str:
    """Return `file.py, line 12: op.add_colum(...)` of an error's last frame in a file or folder; empty without one."""
    file, line = last_line(error, place)
    return f"{file.name}, line {line}: {linecache.getline(str(file), line).strip()}" if line else ""


def last_line(error: BaseException | None, place: Path) -> tuple[Path, int]:
    """Return the file and line of an error's last frame in a file or folder; line 0 for an error elsewhere."""
    place = place.resolve()
    while error is not None:
        for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
            file = Path(frame.f_code.co_filename).resolve()
            if file == place or place in file.parents:
                return file, line
        error = error.__cause__ or error.__context__
    return place, 0


def running_line(file: str) -> int | None:
    """Return the line of a file that is running in this thread; None when none is."""
    frame = sys._getframe()
    while frame.f_back and frame.f_code.co_filename != file:
        frame = frame.f_back
    return frame.f_lineno if frame.f_code.co_filename == file else None
