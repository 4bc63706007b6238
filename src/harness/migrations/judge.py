"""Judges a history revision by revision, and remembers what has not changed since."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property

import psycopg
from alembic.script import Script

from harness.catalog import Snapshot
from harness.findings import Finding
from harness.migrations.cache import ResultCache
from harness.migrations.history import History
from harness.migrations.inspection import Inspection
from harness.migrations.result import RevisionResult, summary
from harness.migrations.rules.obstacles import not_judged
from harness.migrations.tracing.event_triggers import install_event_triggers
from harness.migrations.tracing.observations import DowngradeResult, Observations, Obstacle
from harness.migrations.tracing.scratch_databases import ScratchDatabases
from harness.migrations.tracing.trace import said
from harness.rules import catalogue

SchemaRules = Callable[[Snapshot], Iterable[Finding]]

ABSENT = ("42P01", "42703", "42704", "42883", "3F000")
"""SQLSTATEs of what is not there: table, column, type or other object, function, schema."""


@dataclass
class Judge:
    """A history on one server, walked upwards; `start` gives that server when the first revision needs it.

    `schema_rules` judge the objects that a revision makes: design, not hazard.
    """

    history: History
    start: Callable[[], ScratchDatabases]
    rows: int = 50
    schema_rules: SchemaRules | None = None
    cache: ResultCache | None = None
    _base: str = ""
    _applied: int = 0
    _failed: dict[str, str] = field(default_factory=dict)

    def judge(self, script: Script) -> RevisionResult:
        """Judge one revision, from the cache where nothing that it depends on has changed."""
        remembered = self.cache.read(script) if self.cache else None
        if remembered is None:
            remembered = self._inspect(script)
            if self.cache:
                self.cache.write(script, remembered)
        if remembered.failed:
            self._failed[script.revision] = ""
        return remembered

    @cached_property
    def scratch(self) -> ScratchDatabases:
        """The databases that it works on."""
        return self.start()

    def close(self) -> None:
        """Drop what is left of the work."""
        if "scratch" in self.__dict__:
            self.scratch.close()
        self._base, self._applied = "", 0

    def _inspect(self, script: Script) -> RevisionResult:
        base = self._before(script)
        try:
            seen = Inspection(self.history, self.scratch, script, base, self.rows).run()
        except psycopg.Error as lost:  # a revision may end the harness's own sessions
            self._advance(script)
            message = f"the harness could not look at it: {str(lost).strip()}"
            found = not_judged(Obstacle(script.revision, message, "leave other sessions alone"))
            nothing = (script.revision, "-", "", "-", "-", "-")
            failed = script.revision in self._failed
            downgrade = asdict(DowngradeResult())
            return RevisionResult(script.revision, tuple(found), (), downgrade, nothing, failed, complete=False)
        error = self._advance(script)
        blocker = self._missing_below(script, seen)
        if blocker:
            message = f"{seen.trace.error}\n  {blocker} below it does not run"
            found = not_judged(Obstacle(script.revision, message))
        else:
            found = [*trace_findings(seen), *self._design(seen)]
        placed = (replace(item, line=item.line or seen.trace.line_of(item.object)) for item in found)
        statements = tuple(asdict(item) for item in seen.trace.statements)
        downgrade, row = asdict(seen.downgrade_result), summary(seen.trace)
        complete = seen.complete and (script.revision not in dict(seen.unseeded))
        return RevisionResult(script.revision, tuple(placed), statements, downgrade, row, bool(error), complete)

    def _before(self, script: Script) -> str:
        """The database at the revision before, without seeded rows."""
        wanted = [item.revision for item in self.history.revisions].index(script.revision)
        if not self._base or self._applied > wanted:
            self._restart()
        for item in self.history.revisions[self._applied : wanted]:
            self._advance(item)
        return self._base

    def _restart(self) -> None:
        if self._base:
            self.scratch.drop(self._base)
        self._base, self._applied = self.scratch.empty(), 0
        with self.scratch.connect(self._base) as session:
            install_event_triggers(session)

    def _advance(self, script: Script) -> str:
        """Bring the base up by one revision; one that does not run is noted as done, so that the next can be tried.

        What it has left behind outside a transaction is not kept: the base is made again.
        """
        error = ""
        if script.revision not in self._failed:
            try:
                self.scratch.step(self.history, script, "upgrade", self._base)
            except Exception as raised:
                error = said(raised) or "it fails"
                self._failed[script.revision] = error
                below = self.history.revisions[: self._applied]
                self._restart()
                for item in below:
                    self._advance(item)
        if script.revision in self._failed:
            self.scratch.step(self.history, script, "note", self._base)
        self._applied += 1
        return error

    def _missing_below(self, script: Script, seen: Observations) -> str:
        """The failed revision below that is to blame for an error about something that is not there."""
        if seen.trace.sqlstate not in ABSENT:
            return ""
        below = {item.revision for item in self.history.script.iterate_revisions(script.revision, "base")}
        return next((name for name in self._failed if name in below and name != script.revision), "")

    def _design(self, seen: Observations) -> list[Finding]:
        """Return what the schema rules find after the revision and did not find before it."""
        if self.schema_rules is None or not seen.complete:
            return []
        before = {(item.rule.id, item.object) for item in self.schema_rules(seen.before)}
        return [item for item in self.schema_rules(seen.after) if (item.rule.id, item.object) not in before]


def trace_findings(seen: Observations) -> list[Finding]:
    """Return what the rules over a trace find, each object once by each rule."""
    found: dict[tuple[str, str], Finding] = {}
    for check in catalogue("migrations", "trace"):
        for finding in check(seen):
            found.setdefault((check.id, finding.object), finding)
    return list(found.values())
