"""Plugins of pytest that projects use next to the harness: `nox -s plugins` installs them."""

from __future__ import annotations

import re
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

PLUGINS = ("pytest_asyncio", "pytest_cov", "pytest_randomly", "pytest_rerunfailures", "pytest_timeout")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not all(map(find_spec, PLUGINS)), reason="needs requirements/plugins.txt: nox -s plugins"),
]

COUNT = 'connection.execute("SELECT count(*) FROM item").fetchone()'
INSERT = """connection.execute("INSERT INTO item (name) VALUES ('a')")"""

FILES = {
    "tests/test_async": """
        import psycopg
        import pytest
        import pytest_asyncio

        @pytest_asyncio.fixture
        async def opened(database):
            async with await psycopg.AsyncConnection.connect(database.dsn) as connection:
                yield connection

        @pytest.mark.asyncio
        @pytest.mark.parametrize("number", range(3))
        async def test_each_has_its_own_database(opened, number):
            await opened.execute("INSERT INTO item (name) VALUES ('a')")
            cursor = await opened.execute("SELECT count(*) FROM item")
            assert await cursor.fetchone() == (1,)
        """,
    "tests/test_again": f"""
        import pytest

        names = []

        @pytest.mark.flaky(reruns=2)
        def test_that_passes_the_third_time(database):
            with database.connect() as connection:
                {INSERT}
                assert {COUNT} == (1,)
            names.append(database.name)
            assert len(names) == 3

        @pytest.mark.flaky(reruns=1)
        def test_that_fails_twice(database):
            raise AssertionError(database.name)

        def test_after(database):
            with database.connect() as connection:
                assert {COUNT} == (0,)
        """,
    "tests/test_timeout": f"""
        from pathlib import Path

        import pytest

        @pytest.mark.timeout(1)
        def test_that_hangs(connection):
            Path("socket").write_text(connection.info.host)
            connection.execute("SELECT pg_sleep(60)")

        @pytest.mark.parametrize("number", range(3))
        def test_after(connection, number):
            assert {COUNT} == (0,)
        """,
    "tests/api/test_api": """
        import asyncio

        import pytest

        @pytest.mark.asyncio
        async def test_a_request(api):
            assert (await asyncio.to_thread(api.get, "/items")).json() == []

        @pytest.mark.growth
        @pytest.mark.asyncio
        @pytest.mark.flaky(reruns=1)
        async def test_that_grows(api, rows):
            api.seed("item", [{"name": "a"}] * rows)
            api.get("/items")
        """,
}


@pytest.fixture
def crowd(project: pytest.Pytester) -> pytest.Pytester:
    """A project whose tests use all of them."""
    file = Path(project.path, "pyproject.toml")
    option = 'asyncio_default_fixture_loop_scope = "function"\n'
    file.write_text(file.read_text().replace("filterwarnings", f"{option}filterwarnings"))
    project.makepyfile(**FILES)
    return project


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_they_work_next_to_the_harness(crowd: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """Async tests, tests that are run again, a test that hangs, coverage, any order: each test is as it is alone."""
    result = crowd.runpytest_subprocess("--cov=shop", *workers)
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["failed"], outcomes["rerun"]) == (9, 3, 4)
    shown = result.stdout.str()
    assert "Failed: Timeout (>1.0s)" in shown
    assert "error: unbounded-list: GET /items" in shown
    assert re.search(r"shop/app\.py .* \d+%", shown)


def test_of_a_test_that_is_run_again_the_last_database_is_named(crowd: pytest.Pytester) -> None:
    """Not those of the attempts before, and none of a test that has passed in the end is kept for it."""
    result = crowd.runpytest_subprocess("tests/test_again.py", "-k", "twice or third", "--keep-db", "-p", "no:randomly")
    shown = result.stdout.str()
    failed = re.findall(r"AssertionError: (test_\d+)", shown)[0]
    report = shown.partition("FAILURES")[2].partition("databases kept")[0]
    assert re.findall(r"postgres@/(\w+)\?", report) == [failed]


def test_a_timeout_that_ends_the_process_leaves_no_server(crowd: pytest.Pytester) -> None:
    """The thread method exits at once: the watchdog ends the server."""
    result = crowd.runpytest_subprocess("tests/test_timeout.py", "--timeout-method=thread", "-p", "no:randomly")
    assert "passed" not in result.stdout.str()
    socket = Path(crowd.path, "socket").read_text()
    deadline = time.monotonic() + 20
    while Path(socket).exists():
        assert time.monotonic() < deadline, socket
        time.sleep(0.05)
