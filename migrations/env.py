"""How revisions meet the database: one run at a time, and never long in front of a lock.

The connection is `config.attributes["connection"]` (an Engine, or a Connection outside a transaction) when that is
given, else the one that the app's settings name. A pooler of transactions is refused: both the lock and the timeout
belong to the session.
"""

from __future__ import annotations

import runpy
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from select import select

import psycopg
from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, NullPool, create_engine, text

from sealy.db import metadata
from sealy.settings import DatabaseSettings

LOCK_TIMEOUT = "5s"
"""How long a statement may wait for a lock; longer, and the queue behind it stops the application."""

ADVISORY_LOCK = 0x616C656D626963
"""The key of the lock that runs of this directory queue for: "alembic" in ASCII."""

HOLDER = text("""
SELECT pid, application_name, usename, backend_start::timestamptz(0), state, query
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (classid::bigint << 32) + objid::bigint = :key AND objsubid = 1
""")
"""The session that has the lock; another login's query and start are shown only to members of pg_read_all_stats."""

BACKEND = "SELECT pg_backend_pid()"

POOLER = (
    "the database is behind a pooler that gives each transaction another session, so the lock and the timeout of this "
    "run would stay in sessions of others: connect to the database itself, or to a pooler that pools sessions"
)

WRITERS = text("""
SELECT DISTINCT acl.grantee::regrole::text
FROM pg_class c, aclexplode(c.relacl) acl
WHERE c.oid = to_regclass(:versions) AND pg_has_role(c.relowner, 'USAGE')
  AND acl.grantee NOT IN (0, c.relowner) AND acl.privilege_type IN ('INSERT', 'UPDATE', 'DELETE')
""")
"""The roles that default privileges let write to whatever the owner makes."""

runpy.run_path(str(Path(__file__).with_name("operations.py")))
autogenerate = runpy.run_path(str(Path(__file__).with_name("autogenerate.py")))


@contextmanager
def connect() -> Iterator[Connection]:
    """Yield the given connection, or a new one that is closed afterwards."""
    given = context.config.attributes.get("connection")
    if isinstance(given, Connection):
        if given.in_transaction():
            raise RuntimeError("the connection in config.attributes is inside a transaction: end it before migrating")
        yield given
    elif isinstance(given, Engine):
        with given.connect() as connection:
            yield connection
    elif given is not None:
        raise TypeError(
            f"config.attributes['connection'] is {given!r}: expected an Engine or a Connection of SQLAlchemy"
        )
    else:
        parameters = DatabaseSettings.read().connection_parameters
        engine = create_engine("postgresql+psycopg://", connect_args=parameters, poolclass=NullPool)
        with engine.connect() as connection:
            yield connection


def refuse_transaction_pooler(connection: Connection) -> None:
    """Raise an error behind a pooler that gives each transaction another session; one that pools sessions passes.

    A pooler announces another process id than the server's: PgBouncer invents 31 bits. This session then stays open
    while others are opened: if one of them meets its server process, or this one does not, transactions are pooled.
    Several are opened, because several poolers may share the address. One that is not answered waits for a server
    process that only this session can have: transactions would be served in turn.
    """
    info = connection.connection.driver_connection.info
    own = connection.scalar(text(BACKEND))
    connection.commit()
    if own == info.backend_pid:
        return
    address = {"host": info.host, "hostaddr": info.hostaddr, "port": info.port, "password": info.password}
    for _ in range(20):
        with closing(psycopg.connect(**info.get_parameters() | address)) as other:
            other.pgconn.send_query(BACKEND.encode())
            now = connection.scalar(text(BACKEND))
            connection.commit()
            if not select([other], [], [], 1)[0]:
                return
            if now != own or other.pgconn.get_result().get_value(0, 0) == b"%d" % own:
                raise CommandError(POOLER)


def report_holder(connection: Connection) -> None:
    """Print which session has the lock, as the role that logged in: the role that owns the tables may not see it."""
    connection.execute(text("SET LOCAL ROLE NONE"))
    for holder in connection.execute(HOLDER, {"key": ADVISORY_LOCK}):
        since, state = holder.backend_start or "(not shown)", holder.state or "(state not shown)"
        print(
            f"waiting for another migration: pid {holder.pid}, application_name {holder.application_name!r}, "
            f"user {holder.usename}, connected since {since}, {state}, query: {' '.join(holder.query.split())[:500]}",
            file=sys.stderr,
            flush=True,
        )
    connection.commit()


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Hold the session's advisory lock and its lock_timeout; give both back, also after a failure.

    The lock is tried, not waited for: a waiting statement keeps a snapshot, for which CREATE INDEX CONCURRENTLY in
    the run that holds the lock would wait in turn. It belongs to the session, because a transaction's lock would end
    at the first autocommit block.
    """
    attempt = text("SELECT pg_try_advisory_lock(:key), current_setting('lock_timeout')")
    for attempts in count():
        taken, lock_timeout = connection.execute(attempt, {"key": ADVISORY_LOCK}).one()
        connection.commit()
        if taken:
            break
        if attempts % 300 == 0:  # at once, and then every minute
            report_holder(connection)
        time.sleep(0.2)
    set_timeout = text("SELECT set_config('lock_timeout', :value, false)")
    try:
        connection.execute(set_timeout, {"value": LOCK_TIMEOUT})
        connection.commit()
        yield
    finally:
        if not connection.invalidated:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
            connection.execute(set_timeout, {"value": lock_timeout})
            connection.commit()


def protect_versions(connection: Connection) -> None:
    """Let only the owner write to Alembic's own table: only migrations say where the schema stands."""
    alembic = context.get_context()
    names = filter(None, (alembic.version_table_schema, alembic.version_table))
    versions = ".".join(connection.dialect.identifier_preparer.quote(name) for name in names)
    for role in connection.scalars(WRITERS, {"versions": versions}).all():
        connection.execute(text(f"REVOKE INSERT, UPDATE, DELETE ON {versions} FROM {role}"))
    connection.commit()


def migrate(connection: Connection) -> None:
    """Run what the command asks for, each revision in its own transaction; no other process then writes the version."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_server_default=True,
        compare_type=True,
        transaction_per_migration=True,
        process_revision_directives=autogenerate["complete"],
        render_item=autogenerate["render_type"],
    )
    with context.begin_transaction():
        context.run_migrations()
    protect_versions(connection)


if context.is_offline_mode():
    raise SystemExit("--sql is not supported: these revisions look at the database (batches, invalid indexes)")
with connect() as connection:
    refuse_transaction_pooler(connection)
    with alone(connection):
        migrate(connection)
