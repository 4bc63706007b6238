"""Copies of a template: made, brought back after a test, dropped."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import pq, sql

from harness.databases.privileges import Privileges
from harness.databases.wal_changes import Layout, Undo, read_layout
from harness.postgres.address import Address
from harness.postgres.admin import Administrator

MOST_LOG = 4 * 2**20
"""Bytes of log beyond which a new copy costs less than reading what was written."""

MOST_DATA = 8 * 2**20
"""Bytes of emptied tables beyond which a copy is not used again: the dead rows stay in them."""

MOST_RESETS = 100
"""How often a copy is brought back before a new one takes its place, so that dead rows never add up."""

TIDY = 500
"""Names after which the shared catalogues are vacuumed: autovacuum is off."""

READ_START = "SELECT oid, pg_current_wal_insert_lsn()::text FROM pg_database WHERE datname = %s"
TAKE_BACK = "CALL harness.take_back(%s::oid, %s, %s::pg_lsn, %s, %s, NULL, NULL, NULL)"


@dataclass(slots=True)
class Template:
    """A database that copies are made of. `layout`, `outside` and `shared` are there where copies can be reused."""

    name: str
    rights: Privileges
    visitor: Address
    """The server as those see it who ask for a copy."""
    expects: bool = False
    """Whether a session is opened ahead on each copy: the last test asked for one."""
    layout: Layout | None = None
    outside: str = ""
    """What a copy has beside its relations."""
    shared: str = ""
    """A digest of what all databases of the cluster share."""


@dataclass(frozen=True, slots=True)
class Clone:
    """One copy. `since` is the position in the log behind which nothing was written to it; `how` is for people."""

    template: Template
    name: str
    oid: int
    since: str
    how: str
    used: bool = False
    resets: int = 0
    bulky: bool = False
    session: psycopg.Connection[Any] | None = field(default=None, repr=False)
    """Opened ahead."""


@dataclass(slots=True)
class Cloner:
    """Makes, reuses and drops copies over one administrator's session; each thread has its own."""

    administrator: Administrator
    prefix: str
    numbers: itertools.count[int]
    reads_wal: bool = False
    """Whether the server holds wal_functions.sql, so that copies can be reused."""
    reason: str = field(default="", init=False)
    """Why the last copy could not be reused."""

    def clone(self, template: Template, *, ahead: bool = False) -> Clone:
        """A new copy, with the template's rights on it."""
        name = self._name()
        self.administrator.create(name, template.name)
        if rights := template.rights.statements(name):
            self.administrator.run(rights)
        oid, since = self._row(READ_START, name)
        copy = Clone(template, name, oid, since, "cloned ahead" if ahead else "cloned")
        if ahead and self.reads_wal and template.layout is None:
            self._learn(copy)
        return copy

    def reset(self, copy: Clone) -> Clone | None:
        """The copy as its template is, under another name; None, with `reason`, where that cannot be proven.

        Whatever the database, the test or the server does to this, a new copy is the answer.
        """
        try:
            return self._reset(copy)
        except psycopg.Error as error:
            self.reason = str(error)
            return None

    def restore_shared_objects(self, copy: Clone) -> bool:
        """Undo what a test did to something that all databases share, such as a role; its own is dropped first then.

        False where nothing is to be undone. To be asked while no test runs: it cannot be told who did it.
        """
        with contextlib.suppress(psycopg.OperationalError):  # no server: there is nothing to undo, or it is seen later
            if self.reads_wal and self._shared() != copy.template.shared:
                self.drop(copy)
                self._restore(copy.template)
                return True
        return False

    def open_session(self, copy: Clone) -> Clone:
        """The copy with a session of the visitor's, where the server gives one, and roles are as no test left them."""
        with contextlib.suppress(psycopg.Error), contextlib.ExitStack() as until_known:
            session = until_known.enter_context(contextlib.closing(copy.template.visitor.connect(copy.name)))
            if self._shared() == copy.template.shared:
                until_known.pop_all()
                return replace(copy, session=session)
        return copy

    def drop(self, copy: Clone) -> None:
        """Drop a copy, by whichever name the test left it."""
        for (name,) in self.administrator.run("SELECT datname FROM pg_database WHERE oid = %s", [copy.oid]).fetchall():
            self.administrator.drop(name)

    def describe(self, template: Template, *, changed: bool) -> None:
        """Note what is shared, before a test can change it; `changed` when the making of the template may have."""
        if self.reads_wal:
            if changed:
                self.administrator.run("CALL harness.save()")
            template.shared = self._shared()

    def _reset(self, copy: Clone) -> Clone | None:
        template, name = copy.template, self._name()
        if template.layout is None or copy.bulky or copy.resets >= MOST_RESETS:
            self.reason = "used up" if template.layout else "nothing is known yet"
            return None
        found, outside, touched, obstacle = self._row(TAKE_BACK, copy.oid, name, copy.since, MOST_LOG, copy.name)
        undo = obstacle or template.layout.judge(map(tuple, touched))
        if outside != template.outside:
            undo = "the database's rights, settings or comment were changed"
        if isinstance(undo, str):
            self.reason = undo
            return None
        return self._undo(copy, found, undo, template.layout)

    def _restore(self, template: Template) -> None:
        """Undo what a test did to roles and server; what cannot be undone is what the next tests find."""
        self.administrator.run("CALL harness.restore()")
        spaces = "SELECT spcname FROM pg_tablespace WHERE oid NOT IN (SELECT oid FROM harness.spaces)"
        for (name,) in self.administrator.run(spaces).fetchall():
            self.administrator.execute("DROP TABLESPACE {}", name)
        self.administrator.run("ALTER SYSTEM RESET ALL")
        self.administrator.run("SELECT pg_reload_conf()")
        template.shared = self._shared()

    def _undo(self, copy: Clone, name: str, undo: Undo, layout: Layout) -> Clone:
        if undo == Undo():
            (since,) = self._row("SELECT pg_current_wal_insert_lsn()::text")
            return Clone(copy.template, name, copy.oid, since, "reused, nothing was written", True, copy.resets)
        since, size = _run_inside(self.administrator.server, name, undo.statement(layout))
        how = f"reset: {len(undo.tables)} tables, {len(undo.sequences)} sequences"
        return Clone(copy.template, name, copy.oid, since, how, True, copy.resets + 1, int(size) > MOST_DATA)

    def _name(self) -> str:
        """The next name; now and then what all names so far have left in the shared catalogues is cleared away."""
        number = next(self.numbers)
        if self.reads_wal and number % TIDY == 0:
            self.administrator.run("VACUUM pg_database, pg_shdepend")
        return f"{self.prefix}_{number}"

    def _learn(self, copy: Clone) -> None:
        """Read the template's layout from an untouched copy."""
        with self.administrator.server.connect(copy.name, autocommit=True) as inside:
            layout = read_layout(inside)
        (copy.template.outside,) = self._row("SELECT harness.outside(%s, %s)", copy.oid, copy.name)
        copy.template.layout = layout

    def _shared(self) -> str:
        (digest,) = self._row("SELECT harness.shared()")
        return str(digest)

    def _row(self, statement: str, *values: Any) -> Any:
        return self.administrator.run(statement, values).fetchone()


def _run_inside(server: Address, name: str, statements: sql.Composed) -> list[str]:
    """Run statements in a session of their own; the last one's only row, as text.

    In one blocking call of libpq: between the steps of psycopg's own a busy test would hold the thread up. The session
    is opened in psycopg's steps, for libpq's one call would hold Python's lock until the server answers, and the test.
    """
    with contextlib.closing(server.connect(name, autocommit=True)) as inside:
        result = inside.pgconn.exec_(statements.as_bytes())
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise psycopg.OperationalError(inside.pgconn.get_error_message())
        return [(result.get_value(0, column) or b"").decode() for column in range(result.nfields)]


def install_wal_functions(administrator: Administrator) -> str:
    """Put wal_functions.sql into the maintenance database of the harness's own cluster; the reason where it fails.

    It needs PostgreSQL 15 and pg_walinspect, which some distributions put into a package of their own.
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
