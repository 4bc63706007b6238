"""Stopped clusters on disk between runs, each one archive that is read with its checksum.

An archive is written under a temporary name and renamed when it is complete, so that two writers never meet. A damaged
one is deleted, and the run goes on as if it had not existed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import secrets
import subprocess
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from harness.config import Config
from harness.postgres.installations import Installation
from harness.postgres.os_account import Account
from harness.postgres.server import INITDB, SETTINGS

MOST_BYTES = 512 * 2**20
"""Bytes that the archives may take; the least recently used ones are deleted first."""

PATIENCE = 60.0
"""Seconds to wait for another run that is making the same archive."""

FORMAT = "1"
"""Raise it when the content of an archive changes in a way that its key does not show."""


def cluster_key(installation: Installation, account: Account) -> str:
    """Return a key of all that an initialised cluster depends on: server build, machine, account, initdb, settings."""
    program = Path(installation.program("postgres")).stat()
    build = f"{installation.version} {program.st_size} {program.st_mtime_ns}"
    machine = f"{platform.system()} {platform.machine()} {platform.libc_ver()}"
    functions = Path(__file__).with_name("wal_functions.sql").read_bytes()
    return "cluster-" + _digest(FORMAT, build, machine, account.name, INITDB, SETTINGS, functions)


def template_key(cluster: str, config: Config) -> str:
    """Return a key of all that a migrated template depends on: cluster, migrations, roles, models, libraries."""
    files = [config.root / "pyproject.toml", config.roles_path, *_sources(config.migrations_path), *_models(config)]
    contents = [(os.path.relpath(path, config.root), path.read_bytes()) for path in files if path.is_file()]
    return "template-" + _digest(cluster, version("alembic"), version("sqlalchemy"), config.role_prefix, contents)


def _sources(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _models(config: Config) -> list[Path]:
    """Return the files of the models' package, which env.py and revisions import."""
    with contextlib.suppress(ImportError, ValueError):
        found = find_spec(config.metadata.partition(":")[0])
        if found and found.submodule_search_locations:
            return [path for place in found.submodule_search_locations for path in _sources(Path(place))]
        if found and found.origin:
            return [Path(found.origin)]
    return []


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class ClusterCache:
    """The archives in `place`, named `<key>.<length>.<crc32>.tar`."""

    place: Path

    def restore(self, key: str, account: Account, data: Path) -> bool:
        """Unpack the archive of `key` into the empty directory `data`; return False if it is missing or damaged."""
        for archive in self.place.glob(f"{key}.*.tar"):
            with contextlib.suppress(OSError):
                if _unpack(archive, account, data):
                    os.utime(archive)
                    return True
                if not _sound(archive):
                    archive.unlink()
            account.empty(data)
        return False

    def store(self, key: str, data: Path) -> None:
        """Pack the stopped cluster in `data`; if that fails there is no archive, and the next run tries again."""
        scratch = self.place / f".{key}.{secrets.token_hex(4)}"
        try:
            self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                subprocess.run(["tar", "-cf", "-", "-C", data, "."], stdout=file, stderr=subprocess.DEVNULL, check=True)
            length, checksum = _checksum(scratch)
            scratch.rename(self.place / f"{key}.{length}.{checksum:08x}.tar")
            self._trim()
        except (OSError, subprocess.CalledProcessError):
            with contextlib.suppress(OSError):
                scratch.unlink()

    def holds(self, kind: str) -> bool:
        """Return whether there is an archive of a kind: `cluster` or `template`."""
        return any(self.place.glob(f"{kind}-*.tar"))

    def discard(self, key: str) -> None:
        """Delete the archive of `key`."""
        for archive in self.place.glob(f"{key}.*.tar"):
            archive.unlink(missing_ok=True)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock on making archives: of several workers one makes it, and the others wait `PATIENCE` at most."""
        deadline = time.monotonic() + PATIENCE
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):
                self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
                lock = stack.enter_context((self.place / "lock").open("w"))
                while time.monotonic() < deadline:
                    with contextlib.suppress(BlockingIOError):
                        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    time.sleep(0.01)
            yield

    def _trim(self) -> None:
        archives = sorted(self.place.glob("*.tar"), key=lambda path: path.stat().st_mtime, reverse=True)
        total = 0
        for archive in archives:
            total += archive.stat().st_size
            if total > MOST_BYTES:
                archive.unlink(missing_ok=True)
        for scratch in self.place.glob(".*"):
            if time.time() - scratch.stat().st_mtime > 3600:
                scratch.unlink(missing_ok=True)


def _unpack(archive: Path, account: Account, data: Path) -> bool:
    """Unpack as `account`, and meanwhile compare the archive with its checksum."""
    command = ["tar", "-xpf", "-", "-C", str(data)]
    with (
        archive.open("rb") as file,
        subprocess.Popen(command, stdin=file, stderr=subprocess.DEVNULL, cwd="/", **account.identity) as tar,
    ):
        sound = _sound(archive)
    return tar.returncode == 0 and sound


def _sound(archive: Path) -> bool:
    _, length, checksum, _ = archive.name.split(".")
    return _checksum(archive) == (int(length), int(checksum, 16))


def _checksum(path: Path) -> tuple[int, int]:
    """Return length and CRC-32 of a file: they guard against damage, not against an attacker."""
    length = checksum = 0
    with path.open("rb") as file:
        while block := file.read(2**20):
            length += len(block)
            checksum = zlib.crc32(block, checksum)
    return length, checksum
