"""Replicas that start together migrate one after another."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import alembic.command
import pytest
from sqlalchemy import make_url

from harness.alembic_config import alembic_config, script_directory, upgrade
from harness.config import Config
from harness.databases.databases import Database
from harness.wire.observer import Observer

PATIENCE = 120
"""Seconds after which processes that got nowhere are killed, so that the test fails instead of hanging."""

MIGRATE = """
import sys
from pathlib import Path

import alembic.command
from sqlalchemy import Engine, event

from harness.config import load_config
from harness.alembic_config import alembic_config

@event.listens_for(Engine, "before_cursor_execute")
def tell(connection, cursor, statement, parameters, context, executemany):
    print(" ".join(statement.split()), flush=True)
    if len(sys.argv) > 1 and "alembic_version" in statement and sys.argv[1] in f"{statement} {parameters}":
        print("held", flush=True)
        sys.stdin.readline()

alembic.command.upgrade(alembic_config(load_config(Path.cwd())), "heads")
"""
"""Upgrades as a deployment does, telling each statement; given a revision, it waits for a line before recording it."""

HOLDER = """
SELECT pid, usename, date_trunc('second', backend_start + '0.5 s'), state, query FROM pg_stat_activity
WHERE datname = current_database() AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')
"""

Process = subprocess.Popen[str]


@contextmanager
def migration(config: Config, database: Database, *arguments: str) -> Iterator[Process]:
    """A process that migrates the database that its environment names; a setting that only the app reads is wrong."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        config.database_env: database.dsn,
        "APP_POOL_SIZE": "0",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", MIGRATE, *arguments],
        cwd=config.root,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def read_until(process: Process, word: str) -> list[str]:
    """What a process tells up to the line with a word; if it ends before, the test fails with the process's errors."""
    lines: list[str] = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if word in line:
            return lines
    _, errors = process.communicate()
    pytest.fail(f"the migration ended with {process.returncode} before {word!r}:\n{errors or ''.join(lines)}")


def is_ddl(statement: str) -> bool:
    """Whether a statement changes the schema."""
    return statement.startswith(("CREATE ", "ALTER ", "DROP "))


def test_a_second_process_waits_and_then_finds_nothing_to_do(harness_config: Config, empty_database: Database) -> None:
    """The lock is held to the end of the last revision, past every block that left its transaction.

    While the second one waits, it says for whom, once.
    """
    head = script_directory(harness_config).get_current_head()
    assert head
    with migration(harness_config, empty_database, head) as first:
        read_until(first, "held\n")
        with migration(harness_config, empty_database) as second:
            before = [line for _ in range(4) for line in read_until(second, "pg_try_advisory_lock")]
            with empty_database.as_role("superuser").connect() as onlooker:
                holder = onlooker.execute(HOLDER).fetchone()
            first.communicate("go on\n", timeout=PATIENCE)
            after, said = second.communicate(timeout=PATIENCE)
    assert (first.returncode, second.returncode) == (0, 0)
    assert holder
    expected = (
        "waiting for another migration: pid {}, application_name 'sealy', user {}, connected since {}, "
        "{}, query: {}".format(*holder)
    )
    waiting = [line for line in said.splitlines() if line.startswith("waiting for")]
    assert waiting == [" ".join(expected.split())]
    assert [line for line in [*before, *after.splitlines()] if is_ddl(line)] == []
    assert "advisory" in before[-1]
    with empty_database.connect() as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(head,)]


def test_a_lent_connection_comes_back_as_it_was(harness_config: Config, empty_database: Database) -> None:
    """No lock is left on it, no transaction, and the lock_timeout that it had."""
    settings = alembic_config(harness_config)
    with empty_database.engine.connect() as connection:
        connection.exec_driver_sql("SET lock_timeout = '1234ms'")
        connection.commit()
        settings.attributes["connection"] = connection
        alembic.command.upgrade(settings, "heads")
        assert not connection.in_transaction()
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "1234ms"
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        assert connection.exec_driver_sql(held).scalar() == 0


def test_a_proxy_that_passes_connections_on_is_not_a_pooler(harness_config: Config, empty_database: Database) -> None:
    """It announces the server's own process id, so no other connection is opened to look for a pooler."""
    with Observer(empty_database.address) as wire, wire.recording() as seen:
        url = make_url(wire.dsn(empty_database.dsn)).set(drivername="postgresql+psycopg")
        upgrade(harness_config, url)
    assert len(seen.opened) == 1
