"""PgBouncer in front of a server: for apps that connect through it in production."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from harness.errors import HarnessError
from harness.postgres.address import Address
from harness.postgres.os_account import server_account
from harness.postgres.run_directory import RunDirectory, open_run_directory

PORT = 6432
SYSTEM = ("/usr/sbin", "/usr/local/sbin")
"""Where distributions install it; the PATH of an ordinary user lacks these."""


def find_pgbouncer() -> str:
    """Return the path of the program.

    Raises:
        HarnessError: when it is not installed.
    """
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *SYSTEM))
    if found := shutil.which("pgbouncer", path=path):
        return found
    raise HarnessError("pgbouncer is not installed", looked_at=path, remedy="apt-get install pgbouncer")


def read_settings(given: Iterable[str]) -> dict[str, str]:
    """Return the settings that the options `--pgbouncer NAME=VALUE` give.

    Raises:
        HarnessError: for one that is not a pair.
    """
    pairs = [(text, *text.partition("=")) for text in given]
    for text, name, _, value in pairs:
        if not name or not value:
            raise HarnessError(f"--pgbouncer {text} is not a setting", remedy="write --pgbouncer pool_mode=transaction")
    return {name: value for _, name, _, value in pairs}


@contextlib.contextmanager
def pgbouncer(server: Address, logins: Iterable[Address], settings: Mapping[str, str]) -> Iterator[Address]:
    """Run PgBouncer in front of every database of `server`, and yield where it listens.

    It trusts its clients, and connects to the server as each of `logins` with that one's password. `settings` are those
    of the section `[pgbouncer]` (PgBouncer's manual), such as `{"pool_mode": "transaction"}`.

    Raises:
        HarnessError: when it is not installed, or does not start.
    """
    port = int(settings.get("listen_port", PORT))
    account = server_account()  # like Postgres, it refuses to run as root
    with contextlib.closing(open_run_directory(account)) as run:
        log = run.path / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [find_pgbouncer(), _configure(run, server, logins, settings)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
                **account.identity,
            )
        (run.path / "pid").write_text(f"{process.pid}\n", encoding="ascii")  # for the directory's watchdog
        try:
            _wait(process, run.socket / f".s.PGSQL.{port}", log)
            yield replace(server, host=str(run.socket), port=port)
        finally:
            process.kill()
            process.wait()


def _configure(run: RunDirectory, server: Address, logins: Iterable[Address], settings: Mapping[str, str]) -> str:
    """Write the configuration, and return its path (PgBouncer's manual, "Authentication file format")."""
    users, path = run.data / "users.txt", run.data / "pgbouncer.ini"
    users.write_text("".join(f'"{login.user}" "{login.password or ""}"\n' for login in logins), encoding="utf-8")
    host = server.host.replace("'", "''")
    options = {
        "listen_port": str(PORT),
        "unix_socket_dir": str(run.socket),
        "auth_type": "trust",
        "auth_file": str(users),
        **settings,
    }
    lines = [f"{name} = {value}" for name, value in options.items()]
    databases = f"[databases]\n* = host='{host}' port={server.port}\n"
    path.write_text("\n".join([databases, "[pgbouncer]", *lines, ""]), encoding="utf-8")
    for file in (users, path):  # despite the umask; the directory is closed to others
        file.chmod(0o644)
    return str(path)


def _wait(process: subprocess.Popen[bytes], path: Path, log: Path) -> None:
    """Wait until it accepts connections."""
    deadline = time.monotonic() + 30
    while not _accepts(path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise HarnessError(
                "pgbouncer did not start",
                looked_at=f"its log:\n{log.read_text(encoding='utf-8', errors='replace').strip()}",
                remedy="correct its settings: an older version may lack one",
            )
        time.sleep(0.005)


def _accepts(path: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        return True
    return False
