"""Where an exception comes from: the line of the project's own files that was the last to run."""

from __future__ import annotations

import linecache
import traceback
from pathlib import Path


def origin(error: BaseException | None, place: Path) -> str:
    """`file.py, line 12: op.add_colum(...)` of the last frame in a file or folder; empty for an error elsewhere."""
    place = place.resolve()
    while error is not None:
        for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
            file = Path(frame.f_code.co_filename).resolve()
            if file == place or place in file.parents:
                return f"{file.name}, line {line}: {linecache.getline(str(file), line).strip()}"
        error = error.__cause__ or error.__context__
    return ""
