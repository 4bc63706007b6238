"""Runs a revision on rows and records it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from alembic import op
from alembic.script import Script
from psycopg import sql

from harness.catalog import Snapshot
from harness.errors import HarnessError
from harness.frames import last_line, origin
from harness.migrations.history import History
from harness.migrations.tracing.event_triggers import SCHEMA
from harness.migrations.tracing.evidence import Relation, Trace
from harness.migrations.tracing.lock_probe import LockProbe, WaitLimit
from harness.migrations.tracing.recorder import Recorder
from harness.migrations.tracing.scratch_databases import ScratchDatabases


def trace(
    history: History,
    scratch: ScratchDatabases,
    script: Script,
    database: str,
    before: Snapshot,
    relations: list[Relation],
) -> Trace:
    """Upgrade `database`, which is at the revision before and filled, and record each statement.

    An error of the revision is part of the trace; only KeyboardInterrupt is raised.
    """
    held = [(item.schema, item.name) for item in before.tables]
    probe = LockProbe(scratch.server, database, held)
    recorder = Recorder(database, {item.oid: item for item in relations}, probe, str(script.module.__file__))
    limit = WaitLimit(scratch.server, database)
    error: BaseException | None = None

    def around(function: Callable[..., Any]) -> None:
        with recorder.revision(op.get_bind()):
            function()

    with recorder.recording(), limit.enforced():
        try:
            history.step(script, "upgrade", scratch.url(database), around)
        except (KeyboardInterrupt, HarnessError):
            raise
        except BaseException as raised:
            error = raised
    recorder.probe.close()
    return Trace(
        script.revision,
        before.version,
        tuple(relations),
        tuple(recorder.statements),
        error=said(error),
        sqlstate=sqlstate(error),
        hung=_hung(limit.exceeded, recorder),
        where=origin(error, Path(script.path)),
        line=last_line(error, Path(script.path))[1] or None,
    )


def _hung(waited: str, recorder: Recorder) -> str | None:
    """Return which session waited for which, and the last statement of the other one."""
    done = [item.sql for item in recorder.statements if not item.error]
    return f"{waited}; the last statement before was {done[-1]!r}" if waited and done else waited or None


def prepare(session: psycopg.Connection[Any]) -> None:
    """Make the planner use indexes as on a large table: it would scan a few rows."""
    row = session.execute("SELECT current_database()").fetchone()
    assert row
    session.execute(sql.SQL("ALTER DATABASE {} SET enable_seqscan = off").format(sql.Identifier(row[0])))


def count(session: psycopg.Connection[Any], snapshot: Snapshot) -> list[Relation]:
    """Return the tables and materialized views with their numbers of rows."""
    found = [table for table in snapshot.relations if table.kind in "rpm" and table.schema != SCHEMA]
    if not found:
        return []
    unfilled = {oid for (oid,) in session.execute("SELECT oid FROM pg_class WHERE NOT relispopulated").fetchall()}
    parts = [_count(table.schema, table.name) if table.oid not in unfilled else sql.SQL("0") for table in found]
    counts = session.execute(sql.SQL("SELECT {}").format(sql.SQL(", ").join(parts))).fetchone()
    assert counts
    return [
        Relation(table.oid, table.qualified, table.kind, rows, _root(snapshot, table.oid))
        for table, rows in zip(found, counts, strict=True)
    ]


def _count(*name: str) -> sql.Composed:
    return sql.SQL("(SELECT count(*) FROM {})").format(sql.Identifier(*name))


def _root(snapshot: Snapshot, oid: int) -> str:
    table = snapshot.by_oid[oid]
    while table.partition and table.parents and table.parents[0] in snapshot.by_oid:
        table = snapshot.by_oid[table.parents[0]]
    return table.qualified


def said(error: BaseException | None) -> str | None:
    """Return the text of an exception; None without one."""
    if error is None:
        return None
    original = getattr(error, "orig", None) or error
    return f"{type(original).__name__}: {original}".strip()


def said_at(error: BaseException, file: Path) -> str:
    """Return the first line of an exception's text, and the line of a file from which it comes, if it does."""
    first = (said(error) or "it fails").splitlines()[0]
    return f"{first}\n  at {place}" if (place := origin(error, file)) else first


def sqlstate(error: BaseException | None) -> str | None:
    """Return the SQLSTATE of the driver's error in an exception's chain."""
    while error is not None:
        original = getattr(error, "orig", None) or error
        found = getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)
        if found:
            return str(found)
        error = error.__cause__
    return None
