"""What `nox -s revision` leaves behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import HarnessError
from tools.revision import write_head


def test_the_head_is_written_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    """Only the constant's value changes, with or without an annotation."""
    path = tmp_path / "head.py"
    path.write_text('"""The revision, "quoted"."""\n\nHEAD: str = "0001"\n')
    write_head(path, "0002")
    assert path.read_text() == '"""The revision, "quoted"."""\n\nHEAD: str = "0002"\n'


def test_a_file_without_the_constant_is_named(tmp_path: Path) -> None:
    """When the constant is not there, the error names the file and the revision to put there."""
    path = tmp_path / "head.py"
    path.write_text("LAST = 1\n")
    with pytest.raises(HarnessError, match=r"head\.py should hold one line HEAD.*'0002'"):
        write_head(path, "0002")
