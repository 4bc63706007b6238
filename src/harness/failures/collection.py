"""Errors of what test files import: the app, a model, a helper."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.frames import faulty_source, is_written, steps


def uncollected(error: BaseException, file: Path) -> str:
    """Return why tests cannot be collected; "" if that is a mistake of the test file itself, which pytest shows."""
    if isinstance(error, pytest.Collector.CollectError):
        error = error.__cause__ or error
    if isinstance(error, HarnessError):
        return str(error)
    if not isinstance(error, Exception) or not _imports(error, file):
        return ""
    place, source = faulty_source(error)
    said = error.msg if isinstance(error, SyntaxError) else error
    return str(HarnessError(f"{place}: {type(error).__name__}: {said}", looked_at=source, remedy="correct this line"))


def _imports(error: Exception, file: Path) -> bool:
    """Return whether another module of the project fails while it is imported."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename != str(file)
    codes = [step.tb_frame.f_code for step in steps(error.__traceback__) if is_written(step)]
    return any(code.co_name == "<module>" and code.co_filename != str(file) for code in codes)
