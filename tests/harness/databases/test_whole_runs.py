"""Whole runs of pytest on a small project: what they keep, print, and share with pytest-postgresql."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from harness.postgres import run_directory as runs

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for clusters that no other run sweeps."""
    with tempfile.TemporaryDirectory(prefix="r", dir=runs.BASES[0] if runs.BASES[0].exists() else None) as name:
        Path(name).chmod(0o755)
        monkeypatch.setattr(runs, "BASES", (Path(name),))
        yield Path(name)


FAILING = """
    def test_it(database):
        with database.connect() as connection:
            connection.execute("INSERT INTO item (name) VALUES ('evidence')")
        raise AssertionError("on purpose")
"""


def test_a_failed_test_keeps_its_database_until_the_next_run(project: pytest.Pytester, base: Path) -> None:
    """With --keep-db the printed command works after the run, without psql on PATH; the next run clears it."""
    project.makepyfile(**{"tests/test_it": FAILING})
    result = project.runpytest_inprocess("--keep-db")
    result.assert_outcomes(failed=1)
    found = re.findall(r"(?m)^ +(\S+psql '(.*)')$", result.stdout.str())
    command, dsn = found[-1]
    shown = subprocess.run(
        ["/bin/sh", "-c", f"{command} -AXt -c 'SELECT name FROM item'"],
        env={"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (shown.stdout, shown.stderr) == ("evidence\n", "")
    project.makepyfile(**{"tests/test_it": "def test_it(database): pass"})
    project.runpytest_inprocess("--keep-db").assert_outcomes(passed=1)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn)
    assert not list(base.glob("pg-harness-*/*"))


def test_without_keep_db_nothing_is_kept(project: pytest.Pytester, base: Path) -> None:
    """A failed test's database is there to the end of the run, and no longer."""
    project.makepyfile(**{"tests/test_it": FAILING})
    project.runpytest_inprocess().assert_outcomes(failed=1)
    assert not list(base.glob("pg-harness-*/*"))


def test_verbose_output_says_how_a_database_was_made(project: pytest.Pytester) -> None:
    """With -vv, PASSED is followed by cloned, reset or reused; `fresh_clone` always gets a clone."""
    project.makepyfile(
        **{
            "tests/test_it": """
            import pytest

            @pytest.mark.parametrize("number", range(5))
            def test_data(database, number):
                with database.connect() as connection:
                    connection.execute("INSERT INTO item (name) VALUES ('a')")

            @pytest.mark.fresh_clone
            @pytest.mark.parametrize("number", range(2))
            def test_fresh(database, number):
                assert database.how.startswith("cloned")
            """
        }
    )
    result = project.runpytest_inprocess("-vv")
    result.assert_outcomes(passed=7)
    shown = re.findall(r"(\w+)\[\d\] PASSED \(database (.*)\)", result.stdout.str())
    assert len(shown) == 7
    assert ("test_data", "reset: 1 table, 1 sequence") in shown


def test_fixtures_of_pytest_postgresql_work_on_the_harness_server(project: pytest.Pytester) -> None:
    """A client factory gets another migrated database for each test, besides the harness's."""
    project.makepyfile(
        **{
            "tests/test_it": """
            import pytest
            from pytest_postgresql import factories

            client = factories.postgresql("postgresql_proc")

            @pytest.mark.parametrize("number", range(2))
            def test_theirs(client, database, number):
                assert client.execute("SELECT count(*) FROM item").fetchone() == (0,)
                client.execute("INSERT INTO item (name) VALUES ('theirs')")
                client.commit()
                with database.connect() as connection:
                    assert connection.execute("SELECT count(*) FROM item").fetchone() == (0,)

            def test_their_default_fixture(postgresql):
                assert postgresql.execute("SELECT count(*) FROM item").fetchone() == (0,)
            """
        }
    )
    project.runpytest_inprocess().assert_outcomes(passed=3)


def test_a_run_without_cache_writes_none(
    project: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--no-cache neither reads nor writes; without it the cache is in the user's cache directory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    project.makepyfile(**{"tests/test_it": "def test_it(database): pass"})
    project.runpytest_inprocess("--no-cache").assert_outcomes(passed=1)
    assert not list(tmp_path.rglob("*.tar"))
    project.runpytest_inprocess().assert_outcomes(passed=1)
    assert len(list(tmp_path.rglob("template-*.tar"))) == 1


def test_a_crash_in_the_background_is_reported(project: pytest.Pytester) -> None:
    """The run passes, and its summary has the traceback."""
    project.makepyfile(
        **{
            "tests/test_it": """
            import pytest
            from harness.databases.clones import Cloner

            @pytest.fixture(scope="session", autouse=True)
            def crash(harness_run):
                harness_run.databases.pool.resetter.reads_wal = None
                harness_run.databases.pool.resetter.administrator = None

            @pytest.mark.parametrize("number", range(3))
            def test_it(database, number): pass
            """
        }
    )
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*databases were no longer made ahead*", "Traceback*", "*AttributeError*"])


def test_a_full_disk_in_a_tests_own_statement_is_explained(project: pytest.Pytester) -> None:
    """The report of a test that runs out of space names the directory and what is free there, also under SQLAlchemy."""
    project.makepyfile(
        **{
            "tests/test_it": """
            FULL = "DO $$ BEGIN RAISE SQLSTATE '53100' USING MESSAGE = 'could not extend file'; END $$"

            def test_psycopg(database):
                with database.connect() as connection:
                    connection.execute(FULL)

            def test_sqlalchemy(database):
                with database.engine.connect() as connection:
                    connection.exec_driver_sql(FULL)

            def test_another_error(database):
                with database.connect() as connection:
                    connection.execute("SELECT 1 / 0")
            """
        }
    )
    result = project.runpytest_inprocess()
    result.assert_outcomes(failed=3)
    assert (
        len(re.findall(r"-+ disk full -+\nthe disk under the test server is full: could not", result.stdout.str())) == 2
    )
    result.stdout.re_match_lines(
        [r"  looked at: /.*pg-harness-\d+/\w+: \d+ MB free of \d+ MB", "  remedy: free some space there.*"]
    )


def test_a_server_without_walinspect_is_reported(project: pytest.Pytester) -> None:
    """Where the contrib package is missing each database is a clone, and the summary says so, why, and what to do."""
    project.makefile(".sql", wal_functions="CREATE EXTENSION not_installed")
    project.makepyfile(
        **{
            "tests/test_it": """
            from pathlib import Path

            import pytest
            from harness.databases import clones

            clones.files = lambda package: Path.cwd()

            @pytest.mark.parametrize("number", range(4))
            def test_it(database, number):
                assert database.how.startswith("cloned")
            """
        }
    )
    result = project.runpytest_inprocess("--no-cache", "-n", "1")  # another process, and with it clones.files
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(
        ["*no database was reset*", '*extension "not_installed" is not available*', "*remedy: install the contrib*"]
    )


def test_tests_without_postgres_run_without_postgres(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`-m "not integration"` runs where no server is, and the header says that there is none."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("harness.postgres.installations.WELL_KNOWN", ())
    monkeypatch.setattr("harness.postgres.installations.find_spec", lambda name: None)
    project.makepyfile(**{"tests/test_it": "def test_it(database): pass\n\ndef test_plain(): pass"})
    result = project.runpytest_inprocess("-m", "not integration")
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["postgres: none: no PostgreSQL * server was found *"])


def test_each_worker_of_xdist_has_its_own_server_from_one_cache(
    project: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -n 2 and a cold cache one worker makes the template, and both start from it, each on its own server."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    project.makepyfile(
        **{
            "tests/test_it": """
            import pytest
            from pathlib import Path

            @pytest.mark.parametrize("number", range(2))
            def test_it(cluster, database, number, worker_id):
                with database.connect() as connection:
                    assert connection.execute("SELECT count(*) FROM item").fetchone() == (0,)
                Path(f"{worker_id}.seen").write_text(str(cluster.run.path))
            """
        }
    )
    result = project.runpytest_inprocess("-n", "2", "--dist", "each", "-p", "no:schemathesis")
    result.assert_outcomes(passed=4)
    assert len({seen.read_text() for seen in project.path.glob("*.seen")}) == 2
    assert len(list(tmp_path.rglob("template-*.tar"))) == 1
