"""A cache of the results of judged revisions, valid until something changes that they depend on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from alembic.script import Script

import harness
from harness.errors import HarnessError
from harness.migrations.history import History
from harness.migrations.result import RevisionResult, from_data
from harness.postgres.installations import Installation

MOST = 4000
"""The largest number of results kept; the least recently used ones are deleted first."""


@dataclass
class ResultCache:
    """Results in `place`, one JSON file each; `settings` are further values that they depend on, such as the rows."""

    place: Path
    history: History
    installation: Installation
    settings: tuple[object, ...] = ()
    _digests: dict[str, str] = field(default_factory=dict, repr=False)

    def read(self, script: Script) -> RevisionResult | None:
        """Return the cached result of a revision; None if there is none, or it cannot be read."""
        path = self._path(script)
        try:
            judged = from_data(json.loads(path.read_text(encoding="utf-8")))
            os.utime(path)
        except (OSError, ValueError, TypeError, KeyError, HarnessError):
            return None
        return judged

    def write(self, script: Script, judged: RevisionResult) -> None:
        """Store a result; if that fails, the revision is judged again the next time."""
        scratch = self.place / f".{secrets.token_hex(8)}"
        with contextlib.suppress(OSError):
            self.place.mkdir(parents=True, exist_ok=True)
            scratch.write_text(json.dumps(judged.data()), encoding="utf-8")
            scratch.rename(self._path(script))
            self._trim()

    def _path(self, script: Script) -> Path:
        return self.place / f"{self._digest(script)}.json"

    def _digest(self, script: Script) -> str:
        """Return a digest of a revision, all revisions before it, and what is common to all."""
        if script.revision not in self._digests:
            below = sorted(self._digest(self._script(name)) for name in _parents(script))
            content = Path(script.path).read_bytes()
            self._digests[script.revision] = _hash(self._common, content, below)
        return self._digests[script.revision]

    def _script(self, name: str) -> Script:
        found = self.history.script.get_revision(name)
        assert found
        return found

    @cached_property
    def _common(self) -> str:
        """A digest of the server build, env.py and its neighbours, the harness, and the libraries of revisions."""
        program = Path(self.installation.program("postgres")).stat()
        build = (self.installation.version, program.st_size, program.st_mtime_ns)
        revisions = {Path(item.path).resolve() for item in self.history.revisions}
        folder = Path(self.history.script.dir)
        neighbours = [path for path in _python(folder) if path.resolve() not in revisions]
        own = _python(Path(harness.__file__).parent)
        libraries = [version(name) for name in ("alembic", "sqlalchemy", "psycopg")]
        return _hash(build, [path.read_bytes() for path in (*neighbours, *own)], libraries, self.settings)

    def _trim(self) -> None:
        files = list(self.place.glob("*.json"))
        if len(files) > MOST:
            for path in sorted(files, key=lambda path: path.stat().st_mtime)[: len(files) - MOST]:
                path.unlink(missing_ok=True)


def _parents(script: Script) -> Iterable[str]:
    """Yield the revisions that a revision depends on."""
    for names in (script.down_revision, script.dependencies):
        if isinstance(names, str):
            yield names
        else:
            yield from names or ()


def _python(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def _hash(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
