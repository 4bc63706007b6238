"""A run's directory: on a fast disk, locked while its owner runs, and removed soon after, however the owner ends.

Each run directory holds a file that its owner keeps locked. Two things clean up behind an owner that was killed: a
watchdog, and a sweep at the start of the next run.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import HarnessError
from harness.postgres.os_account import Account
from harness.postgres.watchdog import Watchdog

ROOM = 512 * 2**20
"""Bytes that must be free for a cluster: a small one takes 64 MB, each clone 8 MB."""

LONGEST_SOCKET = 100
"""Characters of a socket's path: the kernel's limit is 108 on Linux and 104 on macOS (unix(7))."""

# $1 is the run's directory. The owner may have been killed while the server was starting, or while the directory was
# being filled, so both are tried until they are gone. Line 7 of postmaster.pid names the segment of System V memory
# that a server killed outright leaves behind (miscadmin.h).
CLEANUP = """
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  pid=
  read -r pid < "$1/data/postmaster.pid" || read -r pid < "$1/pid"
  [ -n "$pid" ] && kill -QUIT "$pid" && sleep 0.03 && kill -0 "$pid" && { sleep 0.07; continue; }
  segment=$(sed -n '7s/.* //p' "$1/data/postmaster.pid") && [ -n "$segment" ] && ipcrm -m "$segment"
  rm -rf "$1"
  [ -e "$1" ] || exit 0
  sleep 0.05
done
kill -KILL "$pid"
rm -rf "$1"
"""

BASES = (Path("/dev/shm"), Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - the owner of what is made there is checked
"""Directories for a cluster, besides the temporary directory of this process."""


def run_root(account: Account) -> Path:
    """Return the directory of this user's runs: on tmpfs if it has room, else in a temporary directory.

    Raises:
        HarnessError: when none is writable and has `ROOM`; names each with its problem.
    """
    tried: list[str] = []
    for base in dict.fromkeys((BASES[0], Path(tempfile.gettempdir()), *BASES[1:])):
        if not base.is_dir():
            continue
        free = shutil.disk_usage(base).free
        if free < ROOM:
            tried.append(f"{base}: {free // 2**20} MB free, {ROOM // 2**20} MB needed")
            continue
        if len(f"{base}/pg-harness-{os.geteuid()}/00000000/s/.s.PGSQL.5432") > LONGEST_SOCKET:
            tried.append(f"{base}: too long a path for a socket")
            continue
        if "," in str(base):
            tried.append(f"{base}: libpq takes a comma for the end of a host")
            continue
        root = base / f"pg-harness-{os.geteuid()}"
        try:
            root.mkdir()
            root.chmod(0o755)  # despite the umask: the server's account must get in when root runs the tests
        except FileExistsError:
            pass
        except OSError as error:
            tried.append(f"{base}: {error.strerror}")
            continue
        if root.is_symlink() or root.stat().st_uid != os.geteuid():
            tried.append(f"{root}: belongs to another user")
        elif not root.is_dir():
            tried.append(f"{root}: is not a directory")
        elif not account.reaches(root):
            tried.append(f"{root}: {account.name} cannot read it")
        else:
            return root
    raise HarnessError(
        "there is no place for a Postgres cluster",
        looked_at=tried,
        remedy="free some space, or set TMPDIR to a directory that has it",
    )


def room_left(path: Path) -> str:
    """Return what is free on the disk of `path`, for an error that may come from a full one."""
    usage = shutil.disk_usage(path)
    return f"{path}: {usage.free // 2**20} MB free of {usage.total // 2**20} MB"


@dataclass(slots=True)
class RunDirectory:
    """A run's directory, `path`, with `data` for the cluster and `socket` for its socket, watched until `close`."""

    path: Path
    lock: int
    watchdog: Watchdog = field(repr=False)

    @property
    def data(self) -> Path:
        """The cluster's data directory."""
        return self.path / "data"

    @property
    def socket(self) -> Path:
        """The directory of the server's socket."""
        return self.path / "s"

    def close(self, *, keep: bool = False) -> None:
        """Remove the directory, or leave it and its server until the next run's sweep if `keep`."""
        if not keep:
            shutil.rmtree(self.path, ignore_errors=True)
        self.watchdog.close(clean=not keep)
        os.close(self.lock)


def open_run_directory(account: Account) -> RunDirectory:
    """Remove what dead runs left, then make and lock a directory for this one, and start its watchdog."""
    root = run_root(account)
    for stale in sweep(root):
        remove(stale)
    name = secrets.token_hex(4)
    scratch = root / f".{name}"
    scratch.mkdir()
    scratch.chmod(0o755)
    lock = os.open(scratch / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    for part in ("data", "s"):
        (scratch / part).mkdir()
        account.own(scratch / part)
    path = scratch.rename(root / name)
    return RunDirectory(path, lock, Watchdog(CLEANUP, str(path)))


def sweep(root: Path) -> Iterator[Path]:
    """Yield the run directories in `root` whose owner has ended, so that their lock is free."""
    for path in root.iterdir():
        with contextlib.suppress(OSError):
            if path.name.startswith("."):  # being made; its owner locks it before it gets its name
                if time.time() - path.stat().st_mtime > 60:
                    yield path
                continue
            lock = os.open(path / "lock", os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield path
            finally:
                os.close(lock)


def remove(path: Path) -> None:
    """Stop the server that still runs in a dead run's directory, and remove the directory."""
    pid = server_pid(path / "data")
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)
            wait_gone(pid, seconds=5)
            os.kill(pid, signal.SIGKILL)
    release_memory(path / "data")
    shutil.rmtree(path, ignore_errors=True)


def release_memory(data: Path) -> None:
    """Remove the System V segment of a server that was killed (shmctl(2), IPC_RMID is 0)."""
    with contextlib.suppress(OSError, ValueError, IndexError, AttributeError):
        line = (data / "postmaster.pid").read_text(encoding="ascii").splitlines()[6]
        ctypes.CDLL(None).shmctl(int(line.split()[1]), 0, None)


def server_pid(data: Path) -> int | None:
    """Return the process id of the postmaster or pooler on `data`, checked against its command; None without one."""
    for file in (data / "postmaster.pid", data.parent / "pid"):
        with contextlib.suppress(OSError, ValueError):
            pid = file.read_text(encoding="ascii").split("\n", 1)[0]
            shown = subprocess.run(["ps", "-ww", "-o", "args=", "-p", pid], capture_output=True, text=True, check=False)
            if str(data) in shown.stdout:
                return int(pid)
    return None


def wait_gone(pid: int, *, seconds: float) -> bool:
    """Wait until the process `pid`, of any parent, has ended; return False if it has not within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.002)
    return False
