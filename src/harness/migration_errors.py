"""Errors of the project's migrations, as they are reported: the file and line that failed, and why."""

from __future__ import annotations

import contextlib
import linecache
import re
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import indent, shorten

import psycopg
from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError

from harness.errors import HarnessError
from harness.frames import is_written, last_line, shown, steps
from harness.postgres.extensions import extension_remedies

APART = "python3 run.py revision --renumber puts this branch's revision last; or give it another id and down_revision"
"""The remedy where two branches have added a revision each."""

ADDRESS = "let env.py use config.attributes['connection'], or sqlalchemy.url where it is set: both name the database"
"""The remedy where env.py cannot reach the database that it chooses itself."""

TWICE = re.compile(r"Revision (\S+) is present more than once")
MISSING = re.compile(r"Revision (\S+) referenced from (?:.* -> )?(\S+).* is not present")
"""Warnings of Alembic."""

CORRECT = "correct this line"
"""The remedy where nothing more is known."""

LABEL = re.compile(r'invalid input value for enum (.+?): "([^"]*)"')
"""What a server says of a text that is no label."""

LONGEST = 300
"""Characters of a statement that are shown."""


class MigrationError(HarnessError):
    """Reports that env.py or a revision fails; `file` is the one below `migrations` that did."""

    def __init__(self, what: str, file: Path, line: str, remedy: str | Iterable[str]) -> None:
        super().__init__(what, looked_at=line or (), remedy=remedy)
        self.file = file


@contextlib.contextmanager
def migration_errors(place: Path, *folders: Path) -> Iterator[None]:
    """Run what loads or runs the migrations in `place`; an error from elsewhere is raised unchanged.

    `folders` are those of the revisions that are not below `place`.

    Raises:
        HarnessError: when Alembic, env.py or a revision raises, with the line that failed, or when two files have one
            revision id.
    """
    try:
        with warnings.catch_warnings():
            for problem in (TWICE, MISSING):  # Alembic would go on: with the file that it reads last, or a KeyError
                warnings.filterwarnings("error", problem.pattern)
            yield
    except (Exception, SystemExit) as error:
        if isinstance(error, HarnessError):
            raise
        found = _unlinked(error, (place, *folders)) if isinstance(error, UserWarning) else migration_error(error, place)
        if found is None:
            raise
        raise found from error


def migration_error(error: BaseException, place: Path) -> HarnessError | None:
    """Return how an error of the migrations in `place` is reported; None for an error from elsewhere."""
    if isinstance(error, CommandError):
        return HarnessError(f"Alembic rejects the migrations: {error}", looked_at=str(place), remedy="correct them")
    file, line = _place(error, place)
    if not line:
        return None
    named, at = _deeper(error, file, line)
    linecache.checkcache(str(named))
    source = linecache.getline(str(named), at).strip()
    if source.endswith("("):  # says only which operation
        source += f"{linecache.getline(str(named), at + 1).strip()} …"
    marked = isinstance(error, SyntaxError) and source.startswith(("<<<<<<<", "=======", ">>>>>>>"))
    remedy = (
        "resolve the conflict of the merge there" if marked else _wrong_default(error) or extension_remedies(str(error))
    )
    usual = ADDRESS if file == place / "env.py" and _unreachable(error) else CORRECT
    return MigrationError(f"{shown(named)}, line {at}: {_reason(error)}", file, source, remedy or usual)


def _wrong_default(error: BaseException) -> str:
    """Return what to do about a column's default that is no label of its enum; "" for another error."""
    if not isinstance(error, DBAPIError) or not (found := LABEL.search(str(error.orig))):
        return ""
    kind, default = re.escape(found[1].rpartition(".")[2]), re.escape(found[2])
    defined = rf"""(\w+|"[^"]+") (?:[\w."]*{kind}(?!\w)[^,]*?|SET )DEFAULT '{default}'"""
    if not (column := re.search(defined, error.statement or "")):
        return ""
    stored = "SQLAlchemy stores the names of a Python enum's members, not their values"
    return f"give the column {column[1]} a label of {found[1]} as its default, first in the model: {stored}"


def _deeper(error: BaseException, file: Path, line: int) -> tuple[Path, int]:
    """Return the project's last line below one of the migrations that an error came through: of a model, say."""
    named, at, through = file, line, False
    for step in steps(error.__traceback__):
        path = Path(step.tb_frame.f_code.co_filename).resolve()
        through = through or path == file
        if through and is_written(step):
            named, at = path, step.tb_lineno
    return named, at


def _unreachable(error: BaseException) -> bool:
    """Return whether a driver could not connect: psycopg's error then has no SQLSTATE, asyncpg's is the system's."""
    cause = getattr(error, "orig", error)
    return isinstance(cause, OSError) or (isinstance(cause, psycopg.OperationalError) and not cause.sqlstate)


def _place(error: BaseException, place: Path) -> tuple[Path, int]:
    """Return the file and line that failed, preferably a revision's; line 0 when it failed elsewhere."""
    found = last_line(error, place / "versions")
    found = found if found[1] else last_line(error, place)
    if isinstance(error, SyntaxError) and error.filename:  # the file that cannot be read is in no frame
        file = Path(error.filename).resolve()
        return (file, error.lineno or 1) if found[1] or file.is_relative_to(place.resolve()) else found
    return found


def _reason(error: BaseException) -> str:
    """Return what Python or the server says, with the statement that the server rejected."""
    if isinstance(error, SystemExit):
        return f"it ends the process with {error.code!r}"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    if not isinstance(error, DBAPIError):
        return f"{type(error).__name__}: {error}".rstrip(": ")
    words = indent(f"{type(error.orig).__name__}: {error.orig}", "  ").strip()
    statement = " ".join((error.statement or "").split())
    return f"{words}\n  statement: {shorten(statement, LONGEST, placeholder=' …')}"


def _unlinked(warning: UserWarning, folders: Iterable[Path]) -> HarnessError | None:
    """Return the error for two files with one revision id, or one that is based on an unknown id; else None."""

    def stating(name: str) -> list[str]:
        return sorted(shown(path) for folder in folders for path in folder.rglob("*.py") if states(path, name))

    if found := TWICE.match(str(warning)):
        files = stating(found[1])
        return HarnessError(f"revision {found[1]} is in {len(files)} files", looked_at=files, remedy=APART)
    if found := MISSING.match(str(warning)):
        return HarnessError(
            f"revision {found[2]} is based on {found[1]}, which is not here",
            looked_at=stating(found[2]),
            remedy="correct its down_revision, or get the branch that has the other one",
        )
    return None


def states(path: Path, revision: str) -> bool:
    """Return whether a file states that it is this revision."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return re.search(rf"""(?m)^revision\b[^=\n]*=\s*['"]{re.escape(revision)}['"]""", text) is not None
