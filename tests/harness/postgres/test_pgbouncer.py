"""PgBouncer in front of a server, for one block of a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from harness.databases.databases import Database
from harness.errors import HarnessError
from harness.postgres.pgbouncer import find_pgbouncer, pgbouncer, read_settings
from harness.postgres.run_directory import wait_gone
from tests.harness.projects import write_files


@pytest.fixture
def program() -> str:
    """The program; the test is skipped, and says so, where it is not installed."""
    try:
        return find_pgbouncer()
    except HarnessError as error:
        pytest.skip(f"needs pgbouncer, which is not here ({error.remedy[0]})")


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With where it was looked for, and the package that has it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("harness.postgres.pgbouncer.SYSTEM", ())
    with pytest.raises(
        HarnessError, match=f"not installed\n  looked at: {tmp_path}\n  remedy: apt-get install pgbouncer"
    ):
        find_pgbouncer()


def test_an_ordinary_user_finds_what_the_system_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Debian installs it where only root's PATH leads."""
    program = tmp_path / "pgbouncer"
    program.touch(0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("harness.postgres.pgbouncer.SYSTEM", (str(tmp_path),))
    assert find_pgbouncer() == str(program)


def test_options_are_settings() -> None:
    """Each is a name and a value, which may contain an equals sign."""
    given = ["pool_mode=transaction", "server_check_query=SELECT 1=1"]
    assert read_settings(given) == {"pool_mode": "transaction", "server_check_query": "SELECT 1=1"}


@pytest.mark.parametrize("given", ["transaction", "pool_mode=", "=transaction"])
def test_an_option_that_is_not_a_setting_is_refused(given: str) -> None:
    """The error shows it, and one that is right."""
    with pytest.raises(
        HarnessError, match=f"--pgbouncer {given} is not a setting\n  remedy: write --pgbouncer pool_mode"
    ):
        read_settings([given])


def test_it_leads_to_every_database_and_ends_with_its_block(program: str, empty_database: Database) -> None:
    """Several clients share one session; afterwards neither its process nor its directory is there."""
    with pgbouncer(empty_database.server, [empty_database.address], {"pool_mode": "transaction"}) as address:
        dsn = address.seen_by(empty_database.address.user).dsn(empty_database.name)
        with psycopg.connect(dsn, autocommit=True) as first, psycopg.connect(dsn, autocommit=True) as second:
            pids = {each.execute("SELECT pg_backend_pid()").fetchall()[0] for each in (first, second)}
        directory = Path(address.host).parent
        pid = int((directory / "pid").read_text())
        assert Path(f"/proc/{pid}").stat().st_uid == directory.joinpath("data").stat().st_uid
    assert len(pids) == 1
    assert wait_gone(pid, seconds=5)
    assert not directory.exists()


def test_a_setting_that_it_does_not_know_is_in_the_error(program: str, empty_database: Database) -> None:
    """With what it wrote, and nothing is left of it."""
    settings = {"pool_modus": "transaction"}
    with (
        pytest.raises(HarnessError, match=r"pgbouncer did not start\n  looked at: its log:(.|\n)*pool_modus"),
        pgbouncer(empty_database.server, [empty_database.address], settings),
    ):
        pass


def test_a_killed_run_leaves_none_behind(program: str, empty_database: Database, tmp_path: Path) -> None:
    """The watchdog of its directory ends it, as it ends a server."""
    server = empty_database.server
    script = f"""
import time
from harness.postgres.address import Address
from harness.postgres.pgbouncer import pgbouncer
with pgbouncer(Address({server.host!r}, {server.port}, "postgres"), [], {{}}) as address:
    print(address.host, flush=True)
    time.sleep(60)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout
        directory = Path(process.stdout.readline().strip()).parent
        pid = int((directory / "pid").read_text())
        process.kill()
    assert wait_gone(pid, seconds=20)


THROUGH = """
    import psycopg
    import pytest

    def test_the_pooler_announces_another_process(api):
        assert api.get("/items").json() == []
        with psycopg.connect(api.app_dsn) as client:
            assert client.execute("SELECT pg_backend_pid()").fetchone() != (client.info.backend_pid,)

    @pytest.mark.own_cluster
    def test_the_server_stops(api):
        api.server.stop()
"""


def test_the_app_of_a_project_connects_through_it(program: str, project: pytest.Pytester) -> None:
    """The header says so; tests that stop the server are deselected and listed, because PgBouncer answers for it."""
    write_files(project.path, {"tests/api/test_items.py": THROUGH})
    result = project.runpytest_inprocess("--pgbouncer", "pool_mode=transaction")
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["postgres: *, behind PgBouncer: pool_mode=transaction"])
    result.stdout.fnmatch_lines(
        ["*test_the_server_stops: stops or reconfigures its server, for which PgBouncer answers"]
    )


def test_a_run_that_lacks_the_program_stops_before_its_tests(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the sentence of the program that is missing, once, and exit code 2."""
    write_files(project.path, {"tests/api/test_items.py": THROUGH})
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("harness.postgres.pgbouncer.SYSTEM", ())
    result = project.runpytest_inprocess("--pgbouncer", "pool_mode=transaction")
    assert result.ret == 2
    assert str(result.stderr).count("pgbouncer is not installed") + str(result.stdout).count("not installed") == 1
