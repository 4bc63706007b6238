"""Why tests cannot be collected is said once, with the line to correct."""

from __future__ import annotations

import pytest

from tests.harness.projects import write_files

MODEL = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class Shelf(Base):
    __tablename__ = "shelf"
    id: Mapped[int] = mapped_column(primary_key=True)

from nowhere import Thing
"""
IMPORTS = "from shop import shelves\n\ndef test_it(database): pass"
ASKS = """
import pytest
from harness.config import load_config, load_object
from pathlib import Path

APP = load_object(load_config(Path.cwd()).app)

def test_it(): pass
"""


def test_errors_of_a_collection_are_no_interrupt(project: pytest.Pytester) -> None:
    """Nobody has pressed Ctrl-C; the last line counts the errors, as pytest does."""
    project.makepyfile(**{f"tests/test_{name}": "import nowhere" for name in "ab"})
    result = project.runpytest_inprocess()
    result.stdout.fnmatch_lines(["!!* Interrupted: 2 errors during collection !!*"])
    result.stdout.no_fnmatch_line("*Exit*")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
@pytest.mark.parametrize("first", ["a", "z"])
def test_a_model_that_cannot_be_imported_ends_the_run_with_one_message(
    project: pytest.Pytester, first: str, workers: tuple[str, ...]
) -> None:
    """Its line is named, whether a test file or the harness imports it first; no other cause is given."""
    app = (project.path / "shop" / "app.py").read_text()
    write_files(project.path, {"shop/shelves.py": MODEL, "shop/app.py": f"from shop import shelves\n{app}"})
    files = {f"tests/api/test_{name}": IMPORTS for name in "bc"}
    project.makepyfile(**files, **{f"tests/api/test_{first}": ASKS, "tests/api/test_0": "def test_it(): pass"})
    result = project.runpytest_subprocess("-q", *workers)
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == 2, text
    assert text.count("shop/shelves.py, line 10") == 1, text
    assert "looked at: " in text
    assert "from nowhere import Thing\n  remedy: correct this line\n" in text
    assert text.count("No module named 'nowhere'") == 1, text
    for absent in ("SAWarning", "Traceback", "site-packages", "rror while", "Interrupted", "passed", "write module"):
        assert absent not in text, text
    assert len(text.splitlines()) <= 9, text


def test_a_mistake_of_a_test_file_ends_no_other(project: pytest.Pytester) -> None:
    """Files that each fail by themselves are all listed, with pytest's own words."""
    bodies = {"a": "import nowhere", "b": "1 / 0", "c": "def (", "d": "from shop.app import nothing"}
    project.makepyfile(**{f"tests/test_{name}": body for name, body in bodies.items()})
    project.runpytest_inprocess().assert_outcomes(errors=4)
