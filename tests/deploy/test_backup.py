"""A backup is one when it was restored and counted: backup.sh against the harness's own server."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from harness.databases.databases import Database
from harness.postgres.server import Cluster
from tests.deploy.manifests import ROOT

SCRIPT = ROOT / "deploy" / "vm" / "backup.sh"
WRITE = "INSERT INTO users (email) SELECT n::text || clock_timestamp() || '@example.org' FROM generate_series(1, 3) n"


class Backups:
    """Runs backup.sh on a database; `programs` comes first on its PATH."""

    def __init__(self, cluster: Cluster, database: Database, place: Path) -> None:
        self.tools = Path(cluster.installation.program("pg_dump")).parent
        self.programs = place / "bin"
        self.programs.mkdir()
        self.kept = place / "with a space"
        self.database = database
        address = database.as_role("superuser").address
        self.environment = {
            "PATH": f"{self.programs}:{self.tools}:{os.environ['PATH']}",
            "PGHOST": address.host,
            "PGPORT": str(address.port),
            "PGUSER": address.user,
            "DATABASE": database.name,
            "BACKUPS": str(self.kept),
            "KEEP": "14",
        }

    def run(self) -> subprocess.CompletedProcess[str]:
        """One backup."""
        return subprocess.run(
            ["bash", SCRIPT], env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )

    def replace(self, program: str, *lines: str) -> None:
        """Put a script before a program of Postgres; "$real" is the program itself."""
        text = "\n".join(["#!/bin/sh", f"real='{self.tools / program}'", *lines, ""])
        (self.programs / program).write_text(text)
        (self.programs / program).chmod(0o755)

    def files(self) -> list[str]:
        """What the directory of the dumps holds, unfinished ones too."""
        return sorted(path.name for path in self.kept.iterdir())

    def scratch_is_gone(self) -> bool:
        """Whether the scratch database was dropped."""
        with self.database.as_role("superuser").connect() as connection:
            query = "SELECT count(*) FROM pg_database WHERE datname = %s"
            return connection.execute(query, [f"{self.database.name}_restored"]).fetchone() == (0,)


@pytest.fixture
def backups(cluster: Cluster, database: Database, tmp_path: Path) -> Backups:
    """backup.sh for a database with some rows."""
    with database.connect() as connection:
        connection.execute(WRITE)
    return Backups(cluster, database, tmp_path)


def test_a_backup_restores_with_every_row(backups: Backups) -> None:
    """The dump that is kept restores elsewhere, and each table has as many rows as the original."""
    done = backups.run()
    assert done.returncode == 0, done.stderr
    (name,) = backups.files()
    assert "restored and counted" in done.stdout
    assert backups.scratch_is_gone()

    again = f"{backups.database.name}_again"
    superuser = backups.database.as_role("superuser")
    with superuser.connect(autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {again} TEMPLATE template0")
        try:
            command: list[str | Path] = [backups.tools / "pg_restore", "--exit-on-error", "--dbname", again]
            subprocess.run([*command, backups.kept / name], env=backups.environment, check=True)
            tables = [
                row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            ]
            with superuser.server.seen_by(superuser.address.user).connect(again) as restored:
                for table in tables:
                    query = f'SELECT count(*) FROM public."{table}"'
                    assert restored.execute(query).fetchone() == connection.execute(query).fetchone(), table
            assert "users" in tables
        finally:
            connection.execute(f"DROP DATABASE {again} WITH (FORCE)")


def test_concurrent_writes_do_not_disturb(backups: Backups) -> None:
    """Rows that come after the count and before the dump are in neither: both look at one snapshot."""
    write = f'"{backups.tools}/psql" --quiet --dbname="$DATABASE" --command="{WRITE}"'
    backups.replace("pg_dump", write, '"$real" "$@" || exit', write)
    done = backups.run()
    assert done.returncode == 0, done.stderr
    with backups.database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (9,)


@pytest.mark.parametrize(
    ("program", "fault", "said"),
    [
        ("pg_dump", 'exec "$real" "$@" --exclude-table-data=users', "does not restore to what was dumped"),
        ("pg_dump", '"$real" "$@"; echo broken >&2; exit 1', "broken"),
        ("pg_restore", "echo broken >&2; exit 1", "broken"),
    ],
    ids=["rows are missing", "the dump fails", "the restore fails"],
)
def test_a_dump_that_does_not_restore_is_not_kept(backups: Backups, program: str, fault: str, said: str) -> None:
    """The script fails, so that systemd reports it; no file passes for a backup, and nothing is left behind."""
    backups.replace(program, fault)
    done = backups.run()
    assert done.returncode != 0
    assert said in done.stderr
    assert backups.files() == []
    assert backups.scratch_is_gone()


def test_old_dumps_go_when_a_newer_one_is_kept_and_only_then(backups: Backups) -> None:
    """After KEEP days; a failed backup deletes nothing, and files of others stay."""
    backups.kept.mkdir()
    for name in ("old.txt", f"{backups.database.name}-20000101T000000Z.dump"):
        (backups.kept / name).touch()
        os.utime(backups.kept / name, (time.time() - 16 * 86400,) * 2)
    backups.replace("pg_restore", "exit 1")
    assert backups.run().returncode != 0
    assert len(backups.files()) == 2
    (backups.programs / "pg_restore").unlink()
    assert backups.run().returncode == 0
    names = backups.files()
    assert (len(names), "old.txt" in names, any("2000" in name[:-20] for name in names)) == (2, True, False)
