"""The development server: a PostgreSQL server whose data are kept in the clone, and which only this user can reach."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.postgres.address import Address
from harness.postgres.installations import Installation
from harness.postgres.os_account import Account, cache_directory, readable_programs, server_account
from harness.postgres.run_directory import LONGEST_SOCKET, server_pid, wait_gone
from harness.postgres.server import INITDB, PORT, SUPERUSER
from tools.supervisor import Supervisor

FRESH = "python3 run.py dev --fresh"
REMEDY = "correct what the server reports, or choose another one (`python -m harness postgres` lists them)"


@dataclass(frozen=True, slots=True)
class DevServer:
    """A server with its data in `home`/data; `account` can read and run `installation`."""

    home: Path
    socket: Path
    installation: Installation
    account: Account

    @property
    def data(self) -> Path:
        """The cluster's data directory."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's log of the last run."""
        return self.home / "postgres.log"

    @property
    def filled(self) -> Path:
        """A file that exists once the database is migrated and seeded."""
        return self.home / "filled"

    @property
    def address(self) -> Address:
        """The server's address, for its superuser."""
        return Address(str(self.socket), PORT, SUPERUSER)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the data for this process.

        Raises:
            HarnessError: when another process has locked them.
        """
        with (self.home / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise HarnessError(
                    f"the development server already runs, in process {lock.read().strip() or 'unknown'}",
                    looked_at=str(self.home / "lock"),
                    remedy="use it, or stop it with Ctrl-C; a second clone of the project can run its own",
                ) from None
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield

    def prepare(self, *, fresh: bool) -> None:
        """Create the cluster if it does not exist or `fresh`; stop a server that a killed run has left.

        Raises:
            HarnessError: when the data belong to another PostgreSQL major, or initdb fails.
        """
        if pid := server_pid(self.data):
            os.kill(pid, signal.SIGINT)
            wait_gone(pid, seconds=30)
        if fresh:
            self.filled.unlink(missing_ok=True)
            shutil.rmtree(self.data, ignore_errors=True)
        if not self.data.exists():
            self._initialise()
        major = int((self.data / "PG_VERSION").read_text(encoding="ascii"))
        if major != self.installation.major:
            raise HarnessError(
                f"the data belong to PostgreSQL {major}, but the server is {self.installation}",
                looked_at=str(self.data / "PG_VERSION"),
                remedy=f"{FRESH} discards the data, `postgres = {major}` in [tool.harness] keeps them",
            )

    def start(self, supervisor: Supervisor) -> None:
        """Start the server as a child of the supervisor, and wait until it answers.

        Raises:
            HarnessError: when it exits, or is not ready within a minute, with the end of its log.
        """
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self.socket}"',
            "port": PORT,
            "timezone": "UTC",
        }
        if self.counts_statements():
            settings["shared_preload_libraries"] = "pg_stat_statements"
        command = [self.installation.program("postgres"), "-D", str(self.data)]
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("wb") as out:
            server = supervisor.start(
                "Postgres server",
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd="/",
                **self.account.identity,
            )
        deadline = time.monotonic() + 60
        while not self._ready():
            if server.exit_code is not None or time.monotonic() > deadline:
                end = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise HarnessError(
                    f"PostgreSQL {self.installation} did not start:\n{end}", looked_at=str(self.log), remedy=REMEDY
                )
            time.sleep(0.005)

    def counts_statements(self) -> bool:
        """Return whether the installation has pg_stat_statements, which `python -m harness traffic` reads."""
        program = self.installation.program("pg_config")
        if not os.access(program, os.X_OK):
            return False
        modules = self.account.run([program, "--pkglibdir"], capture_output=True).stdout.strip()
        return any(Path(modules).glob("pg_stat_statements.*"))

    def _initialise(self) -> None:
        """Run initdb in another directory and rename it when done, so that incomplete data are never used."""
        scratch = self.home / "data.new"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        self.account.own(scratch)
        command = [self.installation.program("initdb"), *INITDB, "--pgdata", str(scratch)]
        done = self.account.run(command, capture_output=True)
        if done.returncode:
            raise HarnessError(
                f"initdb of PostgreSQL {self.installation} failed:\n{done.stderr.strip()}", remedy=REMEDY
            )
        scratch.rename(self.data)

    def _ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"


def dev_server(root: Path, installation: Installation) -> DevServer:
    """Return the development server of the clone at `root`, in .dev/ or, if the account cannot reach it, in a cache.

    Raises:
        HarnessError: when no directory can be used.
    """
    account = server_account()
    home = root / ".dev"
    home.mkdir(exist_ok=True)
    digest = hashlib.sha256(str(root).encode()).hexdigest()[:12]
    if not account.reaches(home):
        home = cache_directory(account) / f"dev-{digest}"
        home.mkdir(exist_ok=True)
    bindir = readable_programs(installation.bindir, installation.version, account)
    readable = Installation(bindir, installation.version, installation.source)
    return DevServer(home, _socket_directory(home, digest, account), readable, account)


def _socket_directory(home: Path, digest: str, account: Account) -> Path:
    """Create a private directory for the socket: in `home`, or elsewhere if libpq cannot use its path."""
    place = home / "socket"
    if len(f"{place}/.s.PGSQL.{PORT}") > LONGEST_SOCKET or "," in str(place):
        place = Path(tempfile.gettempdir()) / f"pg-dev-{digest}"
    place.mkdir(mode=0o700, exist_ok=True)
    if place.is_symlink() or place.stat().st_uid not in {os.geteuid(), account.uid}:
        raise HarnessError(
            f"{place}, the directory of the server's socket, belongs to another user",
            remedy="remove it, or set TMPDIR to another directory",
        )
    account.own(place)
    return place
