"""The inspection of one revision: catalogue, values, previous release, downgrade, second runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
from alembic.script import Script

from harness.catalog import Change, Snapshot, difference, read_snapshot
from harness.errors import HarnessError
from harness.migrations.history import History
from harness.migrations.rules.failing import DATA
from harness.migrations.tracing.column_digests import Digests, digest, round_trip_losses, type_losses
from harness.migrations.tracing.evidence import Trace
from harness.migrations.tracing.observations import AdversarialFailure, DowngradeResult, Observations
from harness.migrations.tracing.previous_release import PreviousRelease
from harness.migrations.tracing.rerun import Reruns
from harness.migrations.tracing.scratch_databases import ScratchDatabases
from harness.migrations.tracing.trace import count, prepare, said_at, trace
from harness.seed import fill
from harness.seed.given_rows import read_given


@dataclass
class Inspection:
    """One revision on clones of `base`, a database at the revision before it, without seeded rows.

    `stock` names databases that are filled already, plainly (False) or with odd rows (True), for all revisions on one
    base.
    """

    history: History
    scratch: ScratchDatabases
    script: Script
    base: str
    rows: int
    stock: Mapping[bool, str] = field(default_factory=dict)
    _before: Snapshot | None = field(default=None, repr=False)

    def run(self) -> Observations:
        """Run the revision in all these ways, and return the observations."""
        with (
            self._filled() as (database, session, failure),
            self.scratch.connect(database) as reading,
            self.scratch.connect(database) as writing,
        ):
            before = self._catalogue(session)
            digests = digest(session, before)
            release = PreviousRelease(reading, writing)
            release.prepare(before)
            relations = count(session, before)
            seen = trace(self.history, self.scratch, self.script, database, before, relations)
            after = read_snapshot(session)
            complete = seen.error is None
            losses = type_losses(session, before, after, digests) if complete else []
            broken_statements = release.again() if complete else []
            back = self._downgrade(database, session, before, after, digests) if complete else DowngradeResult()
        missing = [(item.name, "it is empty") for item in seen.relations if _is_missing(item.name, seen)]
        unseeded = [(self.script.revision, failure)] if failure else missing
        second = self._second_runs(seen, after) if complete and seen.stops else ((), ())
        met = _met(seen, before)
        adversary = self._adversary(met) if complete and not unseeded and met else None
        return Observations(
            seen, before, after, tuple(losses), tuple(broken_statements), back, *second, adversary, tuple(unseeded)
        )

    def _downgrade(
        self, database: str, session: psycopg.Connection[Any], before: Snapshot, after: Snapshot, digests: Digests
    ) -> DowngradeResult:
        """Downgrade, and compare with the state before."""
        try:
            self.scratch.step(self.history, self.script, "downgrade", database)
        except NotImplementedError as error:
            return DowngradeResult(
                tried=True, missing=True, error=f"downgrade() raises NotImplementedError: {error}".rstrip(": ")
            )
        except Exception as error:
            missing = getattr(self.script.module, "downgrade", None) is None
            return DowngradeResult(tried=True, missing=missing, error=said_at(error, Path(self.script.path)))
        left = read_snapshot(session)
        result = downgrade_result(before, after, left)
        if result.missing:
            return result
        return replace(result, losses=tuple(round_trip_losses(before, digests, left, digest(session, left))))

    def _second_runs(self, seen: Trace, after: Snapshot) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        with self._filled() as (filled, session, _):
            session.close()
            reruns = Reruns(self.history, self.scratch, self.script, filled)
            return tuple(reruns.killed(seen, after)), tuple(reruns.skipped_indexes(seen, after))

    def _adversary(self, met: set[str]) -> AdversarialFailure | None:
        """Run it on rows with duplicates, nulls and extremes; only an error caused by the rows counts."""
        with self._filled(adversarial=True, tables=met) as (database, session, failure):
            if failure:
                return None
            seen = trace(self.history, self.scratch, self.script, database, self._catalogue(session), [])
        if seen.error is None or not (seen.sqlstate or "").startswith(DATA):
            return None
        failed = next((item for item in reversed(seen.statements) if item.sqlstate == seen.sqlstate), None)
        if failed is None:
            return AdversarialFailure(seen.sqlstate or "", seen.error.splitlines()[0], "", "")
        return AdversarialFailure(seen.sqlstate or "", (failed.error or "").splitlines()[0], failed.sql, failed.refused)

    def fill(
        self, session: psycopg.Connection[Any], *, adversarial: bool = False, tables: set[str] | None = None
    ) -> str:
        """Fill tables of a session's database, all by default; return why that failed, "" if it did not."""
        given = read_given(getattr(self.script.module, "seed", None), f"{self.script.path}: seed")
        given = {name: rows for name, rows in given.items() if tables is None or name in tables}
        prepare(session)
        try:
            before = self._catalogue(session)
            fill(session, self.rows, adversarial=adversarial, given=given, tables=tables, snapshot=before)
        except HarnessError as error:
            return str(error)
        return ""

    def _catalogue(self, session: psycopg.Connection[Any]) -> Snapshot:
        """Return the catalogue before the revision, read once: all clones of the base have the same OIDs."""
        if self._before is None:
            self._before = read_snapshot(session)
        return self._before

    @contextlib.contextmanager
    def _filled(
        self, *, adversarial: bool = False, tables: set[str] | None = None
    ) -> Iterator[tuple[str, psycopg.Connection[Any], str]]:
        """Yield a filled clone, a session on it, and why it is not filled, "" if it is."""
        stock = self.stock.get(adversarial)
        database = self.scratch.clone(stock or self.base)
        try:
            with self.scratch.connect(database) as session:
                yield database, session, "" if stock else self.fill(session, adversarial=adversarial, tables=tables)
        finally:
            self.scratch.drop(database)


def downgrade_result(before: Snapshot, after: Snapshot, left: Snapshot) -> DowngradeResult:
    """Compare what a downgrade has left with the schema before the revision and after it."""
    changes = [change for change in difference(before, left) if not _only_adds_labels(before, left, change)]
    if changes and not difference(after, left):
        return DowngradeResult(tried=True, missing=True)
    return DowngradeResult(tried=True, changes=tuple((change.name, str(change)) for change in changes))


def _met(seen: Trace, before: Snapshot) -> set[str]:
    """Return the tables whose rows a revision has read or written, and those that they refer to."""
    names = {item.relation for statement in seen.statements for item in statement.rows}
    names |= {item.table for statement in seen.statements for item in statement.rewrites}
    waiting = [before.by_name[seen.by_name[name].root] for name in sorted(names)]
    found: set[str] = set()
    while waiting:
        table = waiting.pop()
        if table.kind in "rp" and table.qualified not in found:
            found.add(table.qualified)
            waiting += [before.by_oid[key.target] for key in table.foreign_keys if key.target in before.by_oid]
    return found


def _only_adds_labels(before: Snapshot, after: Snapshot, change: Change) -> bool:
    """Return whether an enum has gained values: Postgres has no statement that removes one."""
    if (change.kind, change.attribute) != ("type", "labels"):
        return False
    old, new = (next(item for item in side.types if item.qualified == change.name) for side in (before, after))
    return [label for label in new.labels if label in old.labels] == list(old.labels)


def _is_missing(name: str, seen: Trace) -> bool:
    """Return whether a table has no rows, except a single partition and Alembic's own table."""
    relation = seen.by_name[name]
    return relation.kind in "rp" and relation.rows == 0 and relation.root == name
