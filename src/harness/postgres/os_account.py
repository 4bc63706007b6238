"""The operating-system account that runs the server: Postgres refuses to run as root."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from harness.errors import HarnessError

CANDIDATES = ("postgres", "nobody")


class Identity(TypedDict, total=False):
    """The arguments of `subprocess.Popen` that change who runs a program."""

    user: int
    group: int
    extra_groups: Sequence[int]


@dataclass(frozen=True, slots=True)
class Account:
    """An account that runs the server.

    `foreign` is true if it is not the one that runs pytest, `named` is false if the machine has no entry for its uid,
    as in a container that runs as any number.
    """

    name: str
    uid: int
    gid: int
    foreign: bool
    named: bool = True

    @property
    def identity(self) -> Identity:
        """The arguments of `subprocess.Popen` that run a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.foreign else {}

    def run(self, command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program as this account, in a directory that it can read."""
        return subprocess.run(command, text=True, cwd="/", check=False, **self.identity, **options)

    def reaches(self, path: Path, *, write: bool = False) -> bool:
        """Return whether this account can read (or write) `path`; the kernel decides, by modes and ACLs."""
        if not self.foreign:
            return os.access(path, os.W_OK | os.X_OK if write else os.R_OK)
        flag = "-w" if write else "-r"
        return self.run(["/bin/sh", "-c", f'test {flag} "$1"', "sh", str(path)]).returncode == 0

    def own(self, path: Path) -> None:
        """Give `path` to this account, with mode 0700."""
        if self.foreign:
            os.chown(path, self.uid, self.gid)
        path.chmod(0o700)

    def empty(self, directory: Path) -> None:
        """Remove all that is in a directory of this account."""
        shutil.rmtree(directory)
        directory.mkdir()
        self.own(directory)


def server_account() -> Account:
    """Return the current account or, for root, the first of `CANDIDATES` that exists.

    Raises:
        HarnessError: for root on a machine that has none of them.
    """
    if (uid := os.geteuid()) != 0:
        with contextlib.suppress(KeyError):
            return Account(pwd.getpwuid(uid).pw_name, uid, os.getegid(), foreign=False)
        return Account(str(uid), uid, os.getegid(), foreign=False, named=False)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid, foreign=True)
    raise HarnessError(
        "Postgres cannot be run by root, and this machine has no other account for it",
        looked_at=f"the accounts {', '.join(CANDIDATES)}",
        remedy="run as an ordinary user, or: useradd --system postgres",
    )


def _cache_places() -> Iterator[Path]:
    """Yield where the user's cache may be, in order of preference (XDG base directory specification)."""
    with contextlib.suppress(RuntimeError):  # neither HOME nor an entry for the uid
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pg-harness"
    yield Path("/var/cache/pg-harness")
    yield Path(f"/var/tmp/pg-harness-{os.geteuid()}")  # noqa: S108 - its owner is checked


def user_cache() -> Path:
    """Return the user's cache directory or, if it cannot be written, another one of theirs."""
    *_, last = places = tuple(_cache_places())
    return next((place for place in places if _is_made(place)), last)


def _is_made(place: Path) -> bool:
    """Make a directory if there is none, and return whether it is this user's, who can write there."""
    with contextlib.suppress(OSError):
        place.mkdir(parents=True, exist_ok=True)
        return place.stat().st_uid == os.geteuid() and os.access(place, os.W_OK)
    return False


def cache_directory(account: Account) -> Path:
    """Return a directory that is kept between runs and that `account` can read.

    This is the user's cache directory or, if root's home is closed to the account, one in /var.

    Raises:
        HarnessError: when none can be written and read.
    """
    tried = tuple(_cache_places())
    for place in tried:
        if _is_made(place) and account.reaches(place):
            return place
    raise HarnessError(
        f"there is no place for a cache that {account.name} can read",
        looked_at=", ".join(map(str, tried)),
        remedy="set XDG_CACHE_HOME to a directory that can be written and is not below a closed home",
    )


def readable_programs(bindir: Path, version: str, account: Account) -> Path:
    """Return `bindir`, or a copy of its installation in the cache that `account` can run.

    It cannot read an installation below a closed home, and without a name it cannot run initdb.
    """
    if account.named and account.reaches(bindir / "postgres"):
        return bindir
    package = bindir.parent.parent
    libraries = package.with_name(f"{package.name}.libs")  # a repaired wheel's programs look for them here (auditwheel)
    kind = "" if account.named else "-nameless"
    copy = cache_directory(account) / f"postgres-{version}-{(bindir / 'postgres').stat().st_size}{kind}"
    place = Path(package.name, bindir.parent.name)
    if not (copy / place / "bin" / "postgres").exists():
        scratch = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(bindir.parent, scratch / place, symlinks=True, ignore=shutil.ignore_patterns("include"))
        if libraries.is_dir():
            shutil.copytree(libraries, scratch / libraries.name, symlinks=True)
        if not account.named:
            _ignore_name(scratch / place / "bin")
        try:
            scratch.rename(copy)
        except OSError:  # another run was faster
            shutil.rmtree(scratch)
    return copy / place / "bin"


def _ignore_name(bindir: Path) -> None:
    """Let copies of programs run as an account without a name, which initdb looks up but, given --username, never uses.

    They take the machine's first account instead: getpwent(3) in place of getpwuid(3).
    """
    for name in ("initdb", "postgres"):
        program = bindir / name
        program.write_bytes(program.read_bytes().replace(b"\0getpwuid\0", b"\0getpwent\0"))
