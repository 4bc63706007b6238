"""Clones of a template: made, reset after a test, dropped."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import pq, sql

from harness.databases.privileges import Privileges
from harness.databases.reset import Layout, Undo, read_layout
from harness.postgres.address import Address
from harness.postgres.admin import Administrator
from harness.wording import plural

MOST_WAL = 4 * 2**20
"""Bytes of WAL beyond which a new clone costs less than reading what was written."""

MOST_DEAD = 8 * 2**20
"""Bytes of emptied tables beyond which a clone is not reset again: dead rows stay in them."""

MOST_RESETS = 100
"""How often a clone is reset before a new one takes its place, so that dead rows never add up."""

VACUUM_EVERY = 500
"""Names after which the shared catalogues are vacuumed: autovacuum is off."""

READ_START = "SELECT oid, pg_current_wal_insert_lsn()::text FROM pg_database WHERE datname = %s"
READ_CHANGES = "CALL harness.read_changes(%s::oid, %s, %s::pg_lsn, %s, %s, NULL, NULL, NULL)"


@dataclass(slots=True)
class Template:
    """A database that is cloned. `layout`, `properties` and `shared` are read where clones can be reset.

    `visitor` is the server as a test sees it. `properties` are those of a clone besides its relations, `shared` is a
    digest of what all databases of the cluster share.
    """

    name: str
    privileges: Privileges
    visitor: Address
    opens_sessions: bool = False
    """Whether a session is opened ahead on each clone: the last test asked for one."""
    layout: Layout | None = None
    properties: str = ""
    shared: str = ""


@dataclass(frozen=True, slots=True)
class Clone:
    """One clone. Nothing was written to it after the WAL position `since`; `how` says for people where it came from.

    `session` was opened ahead. A `bloated` clone is full of dead rows and is not reset again.
    """

    template: Template
    name: str
    oid: int
    since: str
    how: str
    used: bool = False
    resets: int = 0
    bloated: bool = False
    session: psycopg.Connection[Any] | None = field(default=None, repr=False)


@dataclass(slots=True)
class Cloner:
    """Makes, resets and drops clones over one administrator's session; each thread has its own."""

    administrator: Administrator
    prefix: str
    numbers: itertools.count[int]
    reads_wal: bool = False
    """Whether the server has wal_functions.sql, so that clones can be reset."""
    reason: str = field(default="", init=False)
    """Why the last clone could not be reset."""

    def clone(self, template: Template, *, ahead: bool = False) -> Clone:
        """Make a clone with the template's privileges."""
        name = self._name()
        self.administrator.create(name, template.name)
        if privileges := template.privileges.statements(name):
            self.administrator.run(privileges)
        oid, since = self._row(READ_START, name)
        clone = Clone(template, name, oid, since, "cloned ahead" if ahead else "cloned")
        if ahead and self.reads_wal and template.layout is None:
            self._read_layout(clone)
        return clone

    def reset(self, clone: Clone) -> Clone | None:
        """Return the clone as its template is, renamed; None, with `reason`, where that cannot be proven.

        Any error of the database, the test or the server is such a reason: a new clone is always right.
        """
        try:
            return self._reset(clone)
        except psycopg.Error as error:
            self.reason = str(error)
            return None

    def restore_shared_objects(self, clone: Clone) -> bool:
        """Undo what a test did to what all databases share, such as roles, after dropping its clone.

        Return False where there is nothing to undo. To be called while no test runs: the digest does not say whose
        change it was.
        """
        with contextlib.suppress(psycopg.OperationalError):  # no server: there is nothing to undo, or it is seen later
            if self.reads_wal and self._shared() != clone.template.shared:
                self.drop(clone)
                self._restore(clone.template)
                return True
        return False

    def open_session(self, clone: Clone) -> Clone:
        """Return the clone with a session of the visitor's, if the server gives one and no test has changed a role."""
        with contextlib.suppress(psycopg.Error), contextlib.ExitStack() as until_known:
            session = until_known.enter_context(contextlib.closing(clone.template.visitor.connect(clone.name)))
            if self._shared() == clone.template.shared:
                until_known.pop_all()
                return replace(clone, session=session)
        return clone

    def drop(self, clone: Clone) -> None:
        """Drop a clone, also when the test has renamed it."""
        for (name,) in self.administrator.run("SELECT datname FROM pg_database WHERE oid = %s", [clone.oid]).fetchall():
            self.administrator.drop(name)

    def save_shared_objects(self, template: Template, *, changed: bool) -> None:
        """Note what is shared before a test can change it; `changed` when making the template may have changed it."""
        if self.reads_wal:
            if changed:
                self.administrator.run("CALL harness.save()")
            template.shared = self._shared()

    def _reset(self, clone: Clone) -> Clone | None:
        template, name = clone.template, self._name()
        if template.layout is None or clone.bloated or clone.resets >= MOST_RESETS:
            self.reason = "used up" if template.layout else "the template's layout is not known yet"
            return None
        values = (clone.oid, name, clone.since, MOST_WAL, clone.name)
        found, properties, touched, obstacle = self._row(READ_CHANGES, *values)
        undo = obstacle or template.layout.judge(map(tuple, touched))
        if properties != template.properties:
            undo = "the database's privileges, settings or comment were changed"
        if isinstance(undo, str):
            self.reason = undo
            return None
        return self._undo(clone, found, undo, template.layout)

    def _restore(self, template: Template) -> None:
        """Undo what a test did to roles and server; what cannot be undone the next tests find."""
        self.administrator.run("CALL harness.restore()")
        spaces = "SELECT spcname FROM pg_tablespace WHERE oid NOT IN (SELECT oid FROM harness.spaces)"
        for (name,) in self.administrator.run(spaces).fetchall():
            self.administrator.execute("DROP TABLESPACE {}", name)
        self.administrator.run("ALTER SYSTEM RESET ALL")
        self.administrator.run("SELECT pg_reload_conf()")
        template.shared = self._shared()

    def _undo(self, clone: Clone, name: str, undo: Undo, layout: Layout) -> Clone:
        if undo == Undo():
            (since,) = self._row("SELECT pg_current_wal_insert_lsn()::text")
            return Clone(clone.template, name, clone.oid, since, "reused, nothing was written", True, clone.resets)
        since, size = _run_inside(self.administrator.server, name, undo.statement(layout))
        how = f"reset: {plural(len(undo.tables), 'table')}, {plural(len(undo.sequences), 'sequence')}"
        bloated = int(size) > MOST_DEAD
        return Clone(clone.template, name, clone.oid, since, how, True, clone.resets + 1, bloated)

    def _name(self) -> str:
        """Return the next name; every `VACUUM_EVERY` names, vacuum what they have left in the shared catalogues."""
        number = next(self.numbers)
        if self.reads_wal and number % VACUUM_EVERY == 0:
            self.administrator.run("VACUUM pg_database, pg_shdepend")
        return f"{self.prefix}_{number}"

    def _read_layout(self, clone: Clone) -> None:
        """Read the template's layout from a clone that no test has had."""
        with self.administrator.server.connect(clone.name, autocommit=True) as inside:
            layout = read_layout(inside)
        (clone.template.properties,) = self._row("SELECT harness.properties(%s, %s)", clone.oid, clone.name)
        clone.template.layout = layout

    def _shared(self) -> str:
        (digest,) = self._row("SELECT harness.shared()")
        return str(digest)

    def _row(self, statement: str, *values: Any) -> Any:
        return self.administrator.run(statement, values).fetchone()


def _run_inside(server: Address, name: str, statements: sql.Composed) -> list[str]:
    """Run statements in a new session, and return the last one's only row as text.

    In one blocking call of libpq: between psycopg's steps a busy test would hold up this thread. The session is opened
    in psycopg's steps: libpq's one call would hold Python's lock, and with it the test, until the server answers.
    """
    with contextlib.closing(server.connect(name, autocommit=True)) as inside:
        result = inside.pgconn.exec_(statements.as_bytes())
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise psycopg.OperationalError(inside.pgconn.get_error_message())
        return [(result.get_value(0, column) or b"").decode() for column in range(result.nfields)]


def install_wal_functions(administrator: Administrator) -> str:
    """Install wal_functions.sql in the maintenance database of the harness's own cluster; return why it fails, if so.

    It needs PostgreSQL 15 and pg_walinspect, which some distributions ship in a separate package.
    """
    script = files("harness.databases").joinpath("wal_functions.sql").read_text(encoding="utf-8")
    if administrator.run("SELECT to_regnamespace('harness')").fetchone() != (None,):
        return ""
    try:
        administrator.run(f"BEGIN; {script}; COMMIT")
    except psycopg.Error as error:
        administrator.run("ROLLBACK")
        return error.diag.message_primary or str(error)
    return ""
