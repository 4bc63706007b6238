"""A server that someone else runs is left as it was."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from harness.errors import HarnessError
from harness.postgres import server as servers
from harness.postgres.address import Address
from harness.postgres.external_server import check_rights
from harness.postgres.server import new_cluster
from tests.harness.majors import MAJORS

pytestmark = [pytest.mark.integration, pytest.mark.slow]

HBA = """
local all all trust
host all all 127.0.0.1/32 scram-sha-256
"""

TESTS = """
    import pytest

    @pytest.mark.parametrize("number", range(3))
    def test_data(database, number):
        with database.as_role("app").connect() as connection:
            assert connection.execute("SELECT count(*) FROM item").fetchone() == (0,)
            connection.execute("INSERT INTO item (name) VALUES ('a')")

    def test_ddl(database):
        with database.connect() as connection:
            connection.execute("CREATE TABLE extra (id int)")

    def test_empty(empty_database):
        with empty_database.connect() as connection:
            connection.execute("SELECT 1")

    @pytest.mark.superuser
    def test_superuser(database):
        with database.as_role("superuser").connect() as connection:
            connection.execute("SELECT pg_read_file('PG_VERSION')")
"""


@dataclass
class Elsewhere:
    """Somebody's server, reached by its socket or by its port."""

    directory: str
    port: int

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """Its administrator's session."""
        return psycopg.connect(host=self.directory, port=self.port, user="postgres", dbname="postgres", autocommit=True)

    def inventory(self) -> set[str]:
        """Its databases and roles."""
        with self.connect() as connection:
            query = "SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles"
            return {name for (name,) in connection.execute(query)}  # type: ignore[misc] # names are text

    def options(self, way: str, user: str) -> list[str]:
        """pytest's options to get there."""
        host = self.directory if way == "socket" else "127.0.0.1"
        options = [f"--postgresql-host={host}", f"--postgresql-port={self.port}", f"--postgresql-user={user}"]
        return options if way == "socket" else [*options, "--postgresql-password=it's a secret"]


@pytest.fixture(scope="module", params=MAJORS)
def elsewhere(request: pytest.FixtureRequest) -> Iterator[Elsewhere]:
    """A server with a superuser, a user who may make databases and roles, and one who may nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    cluster = new_cluster(request.param)
    with contextlib.closing(cluster), pytest.MonkeyPatch.context() as patch:
        patch.setattr(servers, "PORT", port)
        patch.setitem(servers.SETTINGS, "listen_addresses", "127.0.0.1")
        cluster.initialise()
        (cluster.run.data / "pg_hba.conf").write_text(HBA)
        cluster.start()
        there = Elsewhere(cluster.host, port)
        with there.connect() as connection:
            for user, rights in (("maker", "CREATEDB CREATEROLE"), ("Nobody", ""), ("postgres", "SUPERUSER")):
                if user != "postgres":
                    connection.execute(f'CREATE ROLE "{user}" LOGIN {rights}'.encode())
                connection.execute(f"ALTER ROLE \"{user}\" PASSWORD 'it''s a secret'".encode())
        yield there


@pytest.mark.parametrize(("way", "user"), [("socket", "maker"), ("port", "maker"), ("port", "postgres")])
def test_a_run_leaves_no_database_and_no_role_behind(
    project: pytest.Pytester, elsewhere: Elsewhere, way: str, user: str
) -> None:
    """By a superuser and by one who may only make databases and roles; what only a superuser can do is left out."""
    before = elsewhere.inventory()
    project.makepyfile(**{"tests/test_it": TESTS})
    result = project.runpytest_inprocess(*elsewhere.options(way, user), "-m", "integration")
    result.stdout.fnmatch_lines(["postgres: server at *, where each database is a new clone"])
    left_out = user == "maker"
    result.assert_outcomes(passed=5 if left_out else 6, deselected=1 if left_out else 0)
    assert elsewhere.inventory() == before
    if left_out:
        result.stdout.fnmatch_lines(["*1 deselected for this server*", "*::test_superuser: needs a superuser"])


@pytest.mark.parametrize(
    ("user", "major", "says"),
    [
        ("Nobody", [], ["the user lacks CREATEDB and CREATEROLE", 'remedy: ALTER ROLE "Nobody" CREATEDB CREATEROLE']),
        ("maker", ["--pg=3"], ["is PostgreSQL *, but --pg asks for 3", "remedy: leave --pg out"]),
        ("absent", [], ["cannot be reached: *absent", "remedy: check --postgresql-port"]),
    ],
)
def test_an_unsuitable_server_stops_the_run(
    project: pytest.Pytester, elsewhere: Elsewhere, user: str, major: list[str], says: list[str]
) -> None:
    """Before a test: which server and user, what is lacking or wrong, and the remedy; no traceback."""
    project.makepyfile(**{"tests/test_it": "def test_it(database): pass"})
    result = project.runpytest_inprocess(*elsewhere.options("port", user), *major)
    assert result.ret == 2
    lines = [*result.outlines, *result.errlines]
    pytest.LineMatcher(lines).fnmatch_lines([f"*{text}*" for text in says])
    pytest.LineMatcher(lines).no_fnmatch_line("*Traceback*")


def test_an_unreachable_server_is_an_error() -> None:
    """A wrong port is an error with the address and a remedy."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    with pytest.raises(HarnessError, match=f"port {port}.*cannot be reached"):
        check_rights(Address("127.0.0.1", port, "postgres"))
