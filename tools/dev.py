"""Run the API for development: uvicorn with reload, and a PostgreSQL server that is migrated, seeded and kept."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from alembic.script.revision import ResolutionError
from psycopg import sql

from harness.alembic_config import refuse_conflict, upgrade
from harness.config import Config, load_config
from harness.databases.databases import Database
from harness.errors import HarnessError
from harness.postgres.environment import drop_variables
from harness.postgres.installations import Installation, choose, psql_command
from harness.postgres.roles import Roles
from harness.seed import fill
from harness.wording import plural
from tools.cli import error_exit, whole_number
from tools.devserver import FRESH, DevServer, dev_server
from tools.supervisor import Supervisor

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
MOST = 10_000_000
"""Rows per table: some minutes and gigabytes."""


def read_arguments(words: list[str]) -> argparse.Namespace:
    """Return the options of `dev`."""
    parser = argparse.ArgumentParser(prog="python3 run.py dev", description=__doc__)
    parser.add_argument(
        "--port", type=whole_number(1, 65535), default=8000, help="the API's port on 127.0.0.1 (default: 8000)"
    )
    parser.add_argument("--fresh", action="store_true", help="discard the data of earlier runs")
    parser.add_argument("--rows", type=whole_number(0, MOST), metavar="N", help="rows per table of new data (100)")
    return parser.parse_args(words)


def check_port(port: int) -> None:
    """Raise HarnessError for a port that cannot be opened: what uses it, and the next one that is free."""
    if reason := obstacle(port):
        free = next((each for each in range(port + 1, port + 100) if not obstacle(each)), "N")
        remedy = f"choose another port: python3 run.py dev --port {free}"
        raise HarnessError(f"port {port} {reason}", looked_at=HOST, remedy=remedy)


def obstacle(port: int) -> str:
    """Return why the port cannot be opened; "" if it can."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        return f"is in use by {listener(port)}" if taken else f"cannot be opened: {error}"
    return ""


def listener(port: int) -> str:
    """Return the process that listens on the port, with its command."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # it has ended, or belongs to another user
            for each in process.net_connections("tcp"):
                if each.status == psutil.CONN_LISTEN and each.laddr.port == port:
                    return f"process {process.pid}: {shlex.join(process.cmdline())}"
    return "a process that this user cannot see"


def fill_database(config: Config, server: DevServer, rows: int | None) -> Database:
    """Return the development database, migrated to head; create and seed it if it does not exist."""
    database = Database(config.role_prefix, server.address, Roles(config.roles_path, config.role_prefix))
    new = not server.filled.exists()
    if new:
        name = sql.Identifier(database.name)
        with server.address.connect(autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    elif rows is not None:
        say("the data of an earlier run are kept, so --rows changes nothing; --fresh discards them")
    database.roles.apply(server.address, database.name)
    migrate(config, database)
    if new:
        seed(database, 100 if rows is None else rows)
        server.filled.touch()
    if server.counts_statements():
        with server.address.connect(database.name, autocommit=True) as admin:
            admin.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            admin.execute("SELECT pg_stat_statements_reset()")  # what the app sends counts, not what was sent above
    return database


def migrate(config: Config, database: Database) -> None:
    """Migrate the database to head.

    Raises:
        HarnessError: when a revision fails, or the data are at a revision that this checkout does not have.
    """
    refuse_conflict(config)
    say("migrating to head")
    try:
        upgrade(config, database.url)
    except HarnessError as error:
        unknown = error.__cause__ and error.__cause__.__cause__
        if not isinstance(unknown, ResolutionError):
            raise
        raise HarnessError(
            f"the data are at revision {unknown.argument}, which does not exist here",
            looked_at=str(config.migrations_path),
            remedy=f"check out the branch that has it, or discard the data: {FRESH}",
        ) from error


def seed(database: Database, rows: int) -> None:
    """Fill every table with rows.

    Raises:
        HarnessError: when a table cannot be filled, with how to supply its rows.
    """
    say(f"seeding {plural(rows, 'row')} per table")
    with database.connect() as connection:
        written = fill(connection, rows)
        views = connection.execute("SELECT format('%I.%I', schemaname, matviewname) FROM pg_matviews").fetchall()
        for (view,) in views:  # so that they include the seeded rows
            connection.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.SQL(view)))
    say(f"seeded {', '.join(f'{table} {count}' for table, count in written.items())}")


def serve(config: Config, supervisor: Supervisor, server: DevServer, database: Database, port: int) -> None:
    """Run uvicorn until it or the server exits, or the parent process ends."""
    watched = ROOT / "src" / config.app.partition(".")[0]
    command = [sys.executable, "-m", "uvicorn", "--factory", "tools.devapp:create_app", "--app-dir", str(ROOT / "src")]
    command += ["--host", HOST, "--port", str(port), "--timeout-graceful-shutdown", "5", "--no-access-log"]
    command += ["--reload", "--reload-dir", str(watched)]
    settings = {**config.environment, **os.environ, config.database_env: database.as_role("app").dsn}
    supervisor.start("API's process", command, stdin=subprocess.DEVNULL, env=settings, cwd=ROOT)
    parent = os.getppid()
    announced = False
    while not (ended := supervisor.exited()) and os.getppid() == parent:
        if not announced and (announced := answers(port)):
            announce(database, port, server.installation)
        time.sleep(0.1)
    if ended:
        problem = f"the {ended.name} exited with code {ended.exit_code}"
        raise HarnessError(problem, looked_at=str(server.log), remedy="correct what it reports above or in that file")


def answers(port: int) -> bool:
    """Return whether a program listens on the port."""
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=0.5):
        return True
    return False


def announce(database: Database, port: int, installation: Installation) -> None:
    """Print the API's address, and the command that opens the database."""
    say(f"API       http://{HOST}:{port}/docs")
    say(f"database  {psql_command(database.as_role('superuser').dsn, installation.bindir)}")
    say("Ctrl-C stops both; the data are kept")


def say(text: str) -> None:
    """Print a line without buffering."""
    print(f"dev: {text}", flush=True)


def run(arguments: argparse.Namespace) -> None:
    """Start server and app, and wait until one of them exits; neither sees libpq's variables."""
    drop_variables()
    config = load_config(ROOT)
    server = dev_server(ROOT, choose(config.postgres))
    with server.lock(), Supervisor() as supervisor:
        check_port(arguments.port)
        say(f"PostgreSQL {server.installation}, data in {server.home}")
        server.prepare(fresh=arguments.fresh)
        server.start(supervisor)
        database = fill_database(config, server, arguments.rows)
        serve(config, supervisor, server, database, arguments.port)


def main() -> None:
    """Run until the first signal, then stop; further signals are ignored."""
    arguments = read_arguments(sys.argv[1:])
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, stop)
    try:
        with error_exit("dev"):
            run(arguments)
    except KeyboardInterrupt:
        say("stopped")


def stop(*_: object) -> None:
    """Raise KeyboardInterrupt, once."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
