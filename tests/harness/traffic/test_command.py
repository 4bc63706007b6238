"""`python -m harness traffic` shows what a server counts, or how to make it count."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from harness.__main__ import main
from harness.databases.databases import Database
from harness.postgres.installations import Installation
from harness.postgres.server import SUPERUSER, Cluster, new_cluster
from tests.harness.majors import MAJORS

SCHEMA = """
CREATE EXTENSION pg_stat_statements;
CREATE TABLE item (id bigint PRIMARY KEY, name text, price int);
INSERT INTO item SELECT n, 'item ' || n, n FROM generate_series(1, 10000) AS n;
CREATE ROLE "Looker" LOGIN;
GRANT SELECT ON item TO "Looker";
ANALYZE item;
SELECT pg_stat_statements_reset();
"""


def dsn(cluster: Cluster, role: str = SUPERUSER, database: str = "postgres") -> str:
    """The address of a database on the cluster."""
    return cluster.address.seen_by(role).dsn(database)


@pytest.fixture(scope="module", params=MAJORS)
def busy(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A server that has counted a read by key, a read by name, and a slow one; and a database without the extension."""
    installation: Installation = request.param
    cluster = new_cluster(installation)
    with contextlib.closing(cluster):
        cluster.initialise()
        with (cluster.run.data / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write("shared_preload_libraries = 'pg_stat_statements'\n")
        cluster.start()
        with psycopg.connect(dsn(cluster), autocommit=True) as connection:
            connection.execute("CREATE DATABASE bare")
            connection.execute(SCHEMA.encode())
            connection.execute("DELETE FROM item WHERE id = -1 /* DELETE /v1/items/{item_id} */")
            for number in range(50):
                connection.execute("SELECT * FROM item WHERE id = %s /* GET /v1/items/{item_id} */", (number,))
            for _ in range(5):
                connection.execute("SELECT id FROM item WHERE name = %s /* GET /v1/items */", ("item 7",))
            connection.execute("SELECT pg_sleep(0.2)")
        yield cluster


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The JSON that the command prints."""
    assert main(["traffic", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_most_frequent_statement_comes_first(busy: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """With its calls, its endpoint, and the index that serves it."""
    first = next(each for each in asked(capsys, dsn(busy))["frequent"] if each["endpoint"])
    assert (first["calls"], first["rows"], first["endpoint"]) == (50, 49, "GET /v1/items/{item_id}")
    assert (first["indexes"], first["scans"], first["no_plan"]) == (["item_pkey"], [], None)


def test_a_table_read_completely_is_named(busy: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """A statement that no index serves says which table it reads."""
    statements = asked(capsys, dsn(busy))["frequent"]
    (found,) = (each for each in statements if each["endpoint"] == "GET /v1/items")
    assert (found["calls"], found["indexes"], found["scans"]) == (5, [], ["item"])


def test_the_slowest_statement_comes_first_with_its_share(busy: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Shares are of all the time that was spent in this database."""
    document = asked(capsys, dsn(busy), "--limit", "1")
    (slowest,) = document["slowest"]
    assert slowest["statement"] == "SELECT pg_sleep($1)"
    assert slowest["mean_ms"] >= 200
    assert 0.5 < slowest["share"] <= 1
    assert len(document["frequent"]) == 1


def test_a_person_reads_two_tables(busy: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json each list is a table whose rows name endpoint and index use."""
    assert main(["traffic", dsn(busy)]) == 0
    shown = capsys.readouterr().out
    assert "Most frequent of" in shown
    assert "Slowest of" in shown
    lines = [line for line in shown.splitlines() if "GET /v1/items " in line]
    assert lines
    assert all("scan of item" in line and "/*" not in line for line in lines)


def test_looking_changes_nothing(busy: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """No statement is executed again, neither a read nor a write; no prepared statement stays."""
    before = {each["statement"]: each["calls"] for each in asked(capsys, dsn(busy), "--limit", "1000")["frequent"]}
    after = {each["statement"]: each["calls"] for each in asked(capsys, dsn(busy), "--limit", "1000")["frequent"]}
    assert not any("harness" in text for text in after)
    planned = [text for text in before if "FROM item WHERE" in text]
    assert len(planned) == 3
    assert [after[text] for text in planned] == [before[text] for text in planned]


def test_a_role_without_the_right_gets_the_grant(busy: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """The remedy is a GRANT, after which the command works, except for what the role may not plan."""
    assert main(["traffic", dsn(busy, "Looker")]) == 2
    _, line = capsys.readouterr().err.splitlines()
    assert 'GRANT pg_read_all_stats TO "Looker"' in line
    with psycopg.connect(dsn(busy), autocommit=True) as connection:
        connection.execute('GRANT pg_read_all_stats TO "Looker"')
        statements = asked(capsys, dsn(busy, "Looker"), "--limit", "1000")["frequent"]
        connection.execute('REVOKE pg_read_all_stats FROM "Looker"')
    plans = {each["endpoint"]: each["no_plan"] for each in statements}
    assert plans["GET /v1/items"] is None
    assert "permission denied" in plans["DELETE /v1/items/{item_id}"]


def test_a_missing_extension_gets_a_remedy(busy: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """The remedy holds the setting and the statement."""
    assert main(["traffic", dsn(busy, database="bare")]) == 2
    _, line = capsys.readouterr().err.splitlines()
    assert "CREATE EXTENSION pg_stat_statements" in line


def test_an_extension_that_is_not_loaded_gets_a_remedy(
    empty_database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """Installed but not loaded: the remedy is the setting."""
    administrator = empty_database.as_role("superuser")
    with administrator.connect(autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
    assert main(["traffic", administrator.dsn]) == 2
    _, line = capsys.readouterr().err.splitlines()
    assert "shared_preload_libraries" in line


@pytest.mark.parametrize("address", ["postgresql://ada:s3cret@/x?host=/no/such/place", "s3cret", "host=a s3cret"])
def test_an_address_where_nothing_answers_is_one_line_and_a_remedy(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the password that it may hold."""
    assert main(["traffic", address]) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 2
    assert "s3cret" not in shown
