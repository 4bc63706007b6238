"""Databases lent for a `with` block: an example of hypothesis, a part of a test, a module, or the whole run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.databases.databases import Database, Databases


@dataclass(slots=True)
class Loans:
    """The databases that `lend` has lent. Those that a failed test may have used are kept until the run ends.

    hypothesis repeats a failing example many times and ends with the smallest one, so only what the last block that an
    exception ended had is held for the test's result.
    """

    databases: Databases
    _lent: list[Database] = field(default_factory=list)
    _held: list[Database] = field(default_factory=list)
    _kept: set[str] = field(default_factory=set)

    @contextlib.contextmanager
    def lend(self) -> Iterator[Database]:
        """Lend a fresh database at head until the block ends."""
        self.settle()
        fresh = self.databases.create(migrated=True)
        self._lent.append(fresh)
        try:
            yield fresh
        except BaseException:
            self._held.append(fresh)
            raise
        finally:
            self._lent.remove(fresh)
            fresh.dispose()
            if fresh not in self._held:
                self._take_back(fresh)

    def keep(self) -> list[Database]:
        """Keep the databases that are lent or held, and return them: a test that used them has failed."""
        used = [*self._lent, *self._held]
        self._kept.update(database.name for database in used)
        return used

    def settle(self) -> None:
        """Take back the databases that are held: the test has ended, or has gone on."""
        while self._held:
            self._take_back(self._held.pop())

    def _take_back(self, database: Database) -> None:
        if database.name not in self._kept:
            self.databases.drop(database)
