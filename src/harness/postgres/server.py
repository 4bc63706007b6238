"""A throw-away cluster: initialised, started, stopped.

pytest-postgresql's executor is not used here: it runs pg_ctl, whose polling takes 90 ms to start and 100 ms to stop, it
cannot run the server as another account when root runs pytest, and a killed run leaves its server running.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import HarnessError
from harness.postgres.address import Address
from harness.postgres.environment import drop_variables
from harness.postgres.installations import Installation
from harness.postgres.os_account import Account, readable_programs, server_account
from harness.postgres.run_directory import RunDirectory, open_run_directory, release_memory, room_left

ANOTHER = "fix what the server reports, or choose another one (`python -m harness postgres` lists them)"

PORT = 5432
SUPERUSER = "postgres"

SETTINGS = {
    "fsync": "off",  # the data need not survive the machine
    "full_page_writes": "off",  # nor a torn page
    "synchronous_commit": "off",  # nor does a commit wait for the disk
    "dynamic_shared_memory_type": "mmap",  # in the data directory, so that nothing stays in /dev/shm after a kill
    "wal_level": "minimal",  # no replication: bulk loads write no WAL
    "max_wal_senders": "0",  # as wal_level minimal asks
    "wal_keep_size": "32MB",  # what was written since a database was lent can still be read
    "wal_init_zero": "off",  # a new segment is not filled with zeros
    "wal_recycle": "off",  # an old one is removed, not kept for later
    "min_wal_size": "2MB",  # the directory stays small, in the cache too
    "max_wal_size": "4GB",  # no checkpoint for its size
    "checkpoint_timeout": "1h",  # nor for its age, in the middle of a test
    "bgwriter_lru_maxpages": "0",  # no page is written before a checkpoint
    "autovacuum": "off",  # it would lock tables in the middle of a test
    "jit": "off",  # compilation does not pay for small tables
    "shared_buffers": "64MB",  # a template and a few clones stay cached
    "max_connections": "100",  # the default, as in production
    "max_prepared_transactions": "10",  # so that tests can PREPARE TRANSACTION
    "listen_addresses": "",  # a private socket is the only way in
    "timezone": "UTC",  # as on a server
    "log_timezone": "UTC",
    "log_min_messages": "warning",  # the log goes into the harness's errors
    "log_lock_waits": "on",  # it shows why a test hangs
}

INITDB = (
    f"--username={SUPERUSER}",
    "--auth=trust",
    "--encoding=UTF8",
    "--no-locale",
    "--no-sync",
    "--no-instructions",
    "--wal-segsize=1",  # megabyte: a cluster of 25 MB instead of 40
)


@dataclass(slots=True)
class Cluster:
    """A throw-away cluster that trusts every client of its socket, in a directory that only its account can enter."""

    installation: Installation
    account: Account
    run: RunDirectory
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    failure: HarnessError | None = None
    """Why it has no template, if the migrations fail."""

    @property
    def host(self) -> str:
        """The socket's directory, which libpq takes as a host."""
        return str(self.run.socket)

    @property
    def address(self) -> Address:
        """The server as its superuser."""
        return Address(self.host, PORT, SUPERUSER)

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.run.path / "log"

    def initialise(self) -> None:
        """Run initdb.

        Raises:
            HarnessError: when it fails, with what it printed.
        """
        command = [self.installation.program("initdb"), *INITDB, "--pgdata", str(self.run.data)]
        done = self.account.run(command, capture_output=True)
        if done.returncode:
            raise HarnessError(
                f"initdb of PostgreSQL {self.installation} failed:\n{done.stderr.strip()}",
                looked_at=room_left(self.run.path),
                remedy=ANOTHER,
            )

    def start(self) -> None:
        """Start `postgres` and wait until it answers: polls postmaster.pid, whose eighth line turns to `ready`.

        Raises:
            HarnessError: when the server ends or is not ready within a minute, with the end of its log.
        """
        options = {**SETTINGS, "unix_socket_directories": _quoted(self.host), "port": str(PORT)}
        command = [self.installation.program("postgres"), "-D", str(self.run.data)]
        command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
                start_new_session=True,
                **self.account.identity,
            )
        (self.run.path / "pid").write_text(f"{self.process.pid}\n", encoding="ascii")
        deadline = time.monotonic() + 60
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise HarnessError(
                    f"PostgreSQL {self.installation} did not start:\n{self._end_of_log()}",
                    looked_at=room_left(self.run.path),
                    remedy=ANOTHER,
                )
            time.sleep(0.002)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT is a fast shutdown with a checkpoint, SIGQUIT an immediate one."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(how)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        release_memory(self.run.data)
        (self.run.path / "pid").unlink(missing_ok=True)
        self.process = None

    def close(self, *, keep: bool = False) -> None:
        """End the server and remove its directory; with `keep` both stay until the next run removes them."""
        if keep and self.process:
            self.process.returncode = 0  # Popen would warn that the process still runs
        else:
            self.stop(signal.SIGQUIT)
        self.run.close(keep=keep)

    def wipe(self) -> None:
        """Empty the data directory of a server that did not start."""
        self.stop(signal.SIGQUIT)
        self.account.empty(self.run.data)

    def _ready(self) -> bool:
        """Return whether this server says that it accepts connections (miscadmin.h, LOCK_FILE_LINE_PM_STATUS)."""
        try:
            lines = (self.run.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _end_of_log(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-20:])


def _quoted(directory: str) -> str:
    """Return a directory quoted for a setting that holds a list (varlena.c, SplitDirectoriesString)."""
    return '"' + directory.replace('"', '""') + '"'


def new_cluster(installation: Installation) -> Cluster:
    """Return a cluster of `installation` in a new run directory, not initialised yet.

    From then on this process's environment has no variables of libpq.
    """
    drop_variables()
    account = server_account()
    bindir = readable_programs(installation.bindir, installation.version, account)
    return Cluster(
        Installation(bindir, installation.version, installation.source), account, open_run_directory(account)
    )


def start_cluster(installation: Installation) -> Cluster:
    """Return a new cluster of `installation`, initialised and started."""
    cluster = new_cluster(installation)
    try:
        cluster.initialise()
        cluster.start()
    except BaseException:
        cluster.close()
        raise
    return cluster
