"""docs/async.md, pasted into the sample: the asynchronous app passes all suites, and a fault in it is named."""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from harness.databases.databases import Database
from tests.template.clones import ROOT, commit_all, copy, passes
from tests.template.projects import edit, run_tests
from tests.template.test_first_day import change

PAGE = (ROOT / "docs" / "async.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^`([\w./]+)`(?:, all of it)?:\n\n```(diff|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DRIVERS = {"psycopg": ("asynchronous psycopg",), "asyncpg": ("asynchronous psycopg", "asyncpg")}
SUITES = ("tests/api", "tests/schema", "tests/migrations")

Converted = Callable[[str], Path]


def paste(place: Path, section: str) -> None:
    """Make the changes of a section of the page."""
    text = PAGE.partition(f"\n## The sample on {section}\n")[2].partition("\n## ")[0]
    assert text.count("\n```") == 2 * len(BLOCK.findall(text))
    for name, language, code in BLOCK.findall(text):
        if language == "python":
            (place / name).write_text(code, encoding="utf-8")
        else:
            for hunk in code.split("@@\n"):
                change(place / name, hunk)


def test_the_page_fits_the_sample(tmp_path: Path) -> None:
    """Each text that it replaces is in the sample once; a change of the sample is one of the page, too."""
    place = copy(tmp_path / "project")
    for section in DRIVERS["asyncpg"]:
        paste(place, section)


@pytest.fixture
def converted(tmp_path: Path) -> Converted:
    """The sample after the sections of a driver."""

    def convert(driver: str) -> Path:
        place = copy(tmp_path / "project")
        for section in DRIVERS[driver]:
            paste(place, section)
        if driver == "asyncpg":
            passes(place, "pytest", "--quiet", "tests/api/test_statements.py", "--update")
        commit_all(place, f"Asynchronous, on {driver}")
        return place

    return convert


@pytest.mark.slow
@pytest.mark.parametrize("driver", DRIVERS)
def test_the_asynchronous_sample_passes_its_checks(converted: Converted, driver: str) -> None:
    """Style, types, and every suite with its slow tests: the app's own count and its limits hold too."""
    place = converted(driver)
    passes(place, "ruff", "check", "src")
    passes(place, "ruff", "format", "--check", "src")
    passes(place, "mypy", "src/sealy")
    outcome = run_tests(place, *SUITES, "-m", "not nightly")
    assert (outcome.code, outcome.findings) == (0, []), outcome.output[-6000:]


FAULTS = tomllib.loads(Path(__file__).with_name("async_faults.toml").read_text(encoding="utf-8"))["fault"]


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["name"])
def test_a_fault_planted_in_it_is_named(converted: Converted, fault: dict[str, str]) -> None:
    """The tests of the sample fail as they do for a synchronous app, and print what it is and where."""
    place = converted("psycopg")
    edit(place, fault)
    outcome = run_tests(place, *fault["tests"].split(), "-m", "not slow")
    assert outcome.code == 1, outcome.output[-6000:]
    assert re.search(fault["says"], outcome.output), outcome.output[-6000:]


def test_the_connection_on_the_page_counts_what_is_sent(empty_database: Database) -> None:
    """asyncpg's own pool takes it; BEGIN, COMMIT, the reset and questions about types are left out."""
    [code] = re.findall(r"```python\n(def _observed.*?)\n\n\npool = ", PAGE, re.DOTALL)
    sent: list[str] = []

    @contextmanager
    def sending(query: str) -> Iterator[str]:
        sent.append(query)
        yield query

    names: dict[str, Any] = {"asyncpg": asyncpg, "_sending": sending}
    exec(code, names)

    async def run() -> None:
        options = {"connection_class": names["ObservedConnection"], "min_size": 1, "max_size": 1}
        async with asyncpg.create_pool(empty_database.dsn, **options) as pool:
            async with pool.acquire() as connection, connection.transaction():
                await connection.executemany("SELECT $1::int", [(1,), (2,)])
                await connection.fetch("SELECT 1")
            await pool.fetchval("SELECT 2")
            await pool.fetchrow("SELECT 3")

    asyncio.run(run())
    assert sent == ["SELECT $1::int", "SELECT 1", "SELECT 2", "SELECT 3"]
