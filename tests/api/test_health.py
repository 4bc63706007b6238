"""The probes, and what clients see while the database is away."""

from __future__ import annotations

import pytest

from harness.api.client import Client
from sealy.db import engine

pytestmark = pytest.mark.api

REQUESTS = [
    ("GET", "/v1/todos", None),
    ("GET", "/v1/todos/1", None),
    ("GET", "/v1/users/1", None),
    ("POST", "/v1/users", {"email": "late@example.org"}),
    ("PATCH", "/v1/todos/1", {"done": True}),
]


def test_a_process_on_a_database_at_head_is_healthy_and_ready(api: Client) -> None:
    """Both probes say 200."""
    assert [api.get("/health").status_code, api.get("/ready").status_code] == [200, 200]


def test_a_database_that_lacks_a_migration_is_not_ready(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """/ready says 503 with both revisions and when to ask again; /health, which restarts nothing for it, 200."""
    (row,) = api.rows("alembic_version")
    monkeypatch.setattr(engine, "REVISIONS", (row["version_num"], "5eed"))
    answer = api.get("/ready")
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert f"is at revision {row['version_num']}; this release needs 5eed or later" in answer.json()["detail"]
    assert answer.headers["Retry-After"]
    assert api.get("/health").status_code == 200


def test_a_database_that_is_ahead_is_ready(api: Client) -> None:
    """The next release has migrated already, and this one serves until it takes over, and after a rollback."""
    with api.operator() as connection:
        connection.execute("UPDATE alembic_version SET version_num = '00ff'")
    assert api.get("/ready").status_code == 200


def test_a_database_without_a_revision_is_not_ready(api: Client) -> None:
    """Empty, or restored without its data: nothing says that the tables are there."""
    with api.operator() as connection:
        connection.execute("DELETE FROM alembic_version")
    assert "at revision none" in api.get("/ready").json()["detail"]


@pytest.mark.slow
@pytest.mark.own_cluster
def test_the_app_survives_its_database(api: Client) -> None:
    """While Postgres is away requests get 503 and when to repeat; once it is back, 200 without a restart."""
    api.seed("users", [{"email": "ada@example.org"}])
    api.server.stop()
    for method, path, body in REQUESTS * 3:
        answer = api.request(method, path, json=body)
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json"), path
        assert answer.headers["Retry-After"]
    assert [api.get("/health").status_code, api.get("/ready").status_code] == [200, 503]
    api.server.start()
    assert api.get("/ready").status_code == 200
    assert [api.request(method, path, json=body).status_code for method, path, body in REQUESTS] == [
        200,
        404,
        200,
        201,
        404,
    ]


@pytest.mark.slow
@pytest.mark.own_cluster
def test_a_restart_of_the_database_costs_one_error_for_the_whole_pool(api: Client) -> None:
    """The first dead connection that is noticed drops all of them."""
    assert api.get("/v1/todos").status_code == 200
    api.server.stop()
    api.server.start()
    statuses = [api.get("/v1/todos").status_code for _ in range(20)]
    assert statuses == [503] + [200] * 19
