"""An Alembic project's revisions in order, and one step of a revision on a database, run by Alembic."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import alembic.config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script, ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import URL, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from harness.alembic_config import set_url
from harness.errors import HarnessError
from harness.migration_errors import migration_errors
from harness.migrations.connection_guard import restrict_connections

LIST = "see `alembic history` for the ids"

Direction = Literal["upgrade", "downgrade", "note", "forget"]
Around = Callable[[Callable[..., Any]], None]
"""Called in place of a revision's function, with that function."""


@dataclass
class History:
    """The revisions of one project; `root` is the directory in which Alembic runs."""

    config: alembic.config.Config
    root: Path
    _paths: list[str] = field(default_factory=list, repr=False)

    @cached_property
    def script(self) -> ScriptDirectory:
        """Alembic's own view of the revisions, read once.

        Raises:
            HarnessError: when Alembic cannot read them.
        """
        try:
            with _inside(self.root):
                before = sys.path.copy()
                found = ScriptDirectory.from_config(self.config)
                self._paths = [path for path in sys.path if path not in before]
                return found
        except CommandError as error:
            raise HarnessError(
                f"Alembic cannot read the project in {self.root}: {error}", remedy="correct script_location"
            ) from error

    @property
    def _import_path(self) -> list[str]:
        """The paths that `prepend_sys_path` adds."""
        return self._paths if self.script else []

    @cached_property
    def revisions(self) -> tuple[Script, ...]:
        """Every revision, in the order of an upgrade.

        Raises:
            HarnessError: when a file cannot be imported, names an unknown revision, or repeats an id.
        """
        place, folders = Path(self.script.dir), map(self.root.joinpath, self.script.version_locations or ())
        try:
            with migration_errors(place, *folders), _inside(self.root, self._import_path):
                return tuple(reversed(list(self.script.walk_revisions())))
        except HarnessError:
            raise
        except Exception as error:
            problem = f"the revisions in {self.root} cannot be read: {error}"
            raise HarnessError(problem, remedy="correct the files") from error

    def chosen(self, names: str | None) -> tuple[Script, ...]:
        """Return the revisions that `REV` or `FIRST:LAST` names, all without a name.

        Raises:
            HarnessError: for an unknown revision, a range whose end is not after its start, and a project without
                revisions.
        """
        if not self.revisions:
            problem = f"there are no revisions in {self.script.dir}: nothing could be judged"
            raise HarnessError(problem, remedy="write the first one: alembic revision --autogenerate")
        if not names:
            return self.revisions
        first, colon, last = names.partition(":")
        if not colon:
            return (self._script(first),)
        ids = [script.revision for script in self.revisions]
        start = self._script(first).revision if first else ids[0]
        end = self._script(last).revision if last else ids[-1]
        if first and last and start not in {item.revision for item in self.script.iterate_revisions(end, "base")}:
            raise HarnessError(
                f"{names}: {end} does not come after {start}, so nothing lies between them",
                remedy="give the older one first; of two branches judge each by itself",
            )
        return self.revisions[ids.index(start) : ids.index(end) + 1]

    def _script(self, name: str) -> Script:
        try:
            found = self.script.get_revision(name)
        except (CommandError, SQLAlchemyError) as error:
            raise HarnessError(f"there is no revision {name!r} in {self.root}: {error}", remedy=LIST) from error
        if found is None:
            raise HarnessError(f"there is no revision {name!r} in {self.root}", remedy=LIST)
        return found

    def step(self, script: Script, direction: Direction, url: URL, around: Around | None = None) -> None:
        """Run one revision on the database at `url`, with the project's env.py, as `alembic upgrade` would.

        It runs over psycopg, sync or async, whatever driver the project's own URL names. `note` and `forget` only
        record that the revision is applied or not. Connections to other databases are refused.

        Raises:
            Exception: any error of the revision or env.py.
            ForeignConnectionError: when one of them connects to another server or database.
            RuntimeError: when one of them exits the process.
            HarnessError: when env.py fails before it runs a revision, or runs none.
        """
        reached: list[str] = []

        def work(_heads: Any, _context: MigrationContext) -> list[MigrationStep]:
            reached.append(script.revision)
            down = direction in ("downgrade", "forget")
            make = MigrationStep.downgrade_from_script if down else MigrationStep.upgrade_from_script
            step = make(self.script.revision_map, script)
            function = step.migration_fn
            if direction in ("note", "forget"):
                step.migration_fn = functools.wraps(function)(lambda **_: None)
            elif around:
                step.migration_fn = functools.wraps(function)(lambda **_: around(function))
            return [step]

        engine = create_engine(url, poolclass=NullPool)
        set_url(self.config, url)
        with _inside(self.root, self._import_path), restrict_connections(url), contextlib.ExitStack() as stack:
            self.config.attributes["connection"] = stack.enter_context(engine.connect())
            with EnvironmentContext(self.config, self.script, fn=work):
                try:
                    self.script.run_env()
                except SystemExit as error:
                    self._check(reached, error)
                    raise RuntimeError(f"it ends the process: SystemExit({error.code!r})") from error
                except Exception as error:
                    self._check(reached, error)
                    raise
        self._check(reached, None)

    def _check(self, reached: list[str], error: BaseException | None) -> None:
        if not reached:
            place = Path(self.script.dir) / "env.py"
            said = f"fails before it runs a revision: {error!r}" if error else "runs no revision"
            raise HarnessError(
                f"{place} {said}",
                looked_at="config.attributes['connection'] and sqlalchemy.url, which both name the database",
                remedy="let it take one of the two (Alembic's cookbook, 'Sharing a Connection')",
            ) from error


@contextlib.contextmanager
def _inside(root: Path, paths: Sequence[str] = ()) -> Iterator[None]:
    """Run the block in the project's directory, with its import path, and with stdout sent to stderr."""
    path = sys.path.copy()
    sys.path[:0] = paths
    before = Path.cwd()
    os.chdir(root)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.chdir(before)
        sys.path[:] = path
