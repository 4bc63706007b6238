"""/v1/tags: counted ahead by a refresh that stops nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.api.client import Client
from sealy.db.refresh import REFRESH, main

pytestmark = pytest.mark.api

SOURCES = Path(__file__).parents[2] / "src"


def refresh(api: Client) -> None:
    """Refresh the counts, as the operator's timer does."""
    with api.operator() as operator:
        operator.execute(REFRESH)


def put_on(api: Client, owner: int, *tags: str) -> None:
    """One more todo of `owner` with these tags."""
    answer = api.post("/v1/todos", json={"owner_id": owner, "title": "Sweep", "tags": list(tags)})
    assert answer.status_code == 201


def pages(api: Client, **filters: Any) -> list[dict[str, Any]]:
    """Every tag, page by page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = api.get("/v1/tags", params=filters | ({"cursor": cursor} if cursor else {})).raise_for_status().json()
        found += page["items"]
        if (cursor := page["next"]) is None:
            return found


def test_tags_are_listed_as_of_the_last_refresh(api: Client, owner: int) -> None:
    """What was put on or taken off afterwards shows after the next one; a tag on nothing does not show."""
    put_on(api, owner, "home", "Garden")
    assert pages(api) == []
    refresh(api)
    first = [{"owner_id": owner, "name": name, "todos": 1} for name in ("Garden", "home")]
    assert pages(api) == first
    put_on(api, owner, "HOME")
    assert pages(api) == first
    refresh(api)
    assert pages(api) == [first[0], {**first[1], "todos": 2}]


def test_every_tag_is_listed_once_by_owner_and_name(api: Client) -> None:
    """Pages of any size neither repeat nor leave out a tag, whatever its letters; one owner's list holds no other's."""
    owners = [user["id"] for user in api.seed("users", [{"email": f"{n}@example.org"} for n in range(3)])]
    names = ["a", "B", "c", "é", "ß", "日" * 50, "%", '"', "\\", "\x01", "💧" * 50]
    for owner in owners:
        put_on(api, owner, *names)
    refresh(api)
    every = pages(api, limit=100)
    assert [tag["owner_id"] for tag in every] == [owner for owner in owners for _ in names]
    assert sorted(tag["name"] for tag in every) == sorted(names * 3)
    for limit in (1, 2, 10):
        assert pages(api, limit=limit) == every
        assert pages(api, limit=limit, owner_id=owners[1]) == every[len(names) : 2 * len(names)]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "owner_id=0", "cursor=", "cursor=eyJiZWZvcmUiOjd9", f"cursor={'A' * 501}", "tag=x"],
)
def test_a_query_that_is_not_valid_is_refused_by_name(api: Client, query: str) -> None:
    """422 names the parameter, an unknown one and the cursor of another list too."""
    refused = api.get(f"/v1/tags?{query}")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, f"query.{query.partition('=')[0]}")


def test_a_refresh_stops_no_reader(api: Client, owner: int) -> None:
    """While one is under way, and before it commits, the list answers with the former counts."""
    put_on(api, owner, "home")
    refresh(api)
    put_on(api, owner, "home")
    with api.operator() as operator:
        operator.execute(REFRESH)
        assert [tag["todos"] for tag in pages(api)] == [1]
    assert [tag["todos"] for tag in pages(api)] == [2]


def test_the_refresh_command_counts_again(api: Client, owner: int) -> None:
    """Run as the role that migrates, it says in one line that it is done."""
    put_on(api, owner, "home")
    with api.operator() as operator:
        server = operator.info
        migrator = f"postgresql://{server.user}@/{server.dbname}?host={server.host}&port={server.port}"
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "APP_DATABASE_URL": migrator}
    command = [sys.executable, "-m", "sealy.db.refresh"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr, len(ended.stdout.splitlines())) == (0, "", 1)
    assert len(pages(api)) == 1


def test_the_refresh_command_is_for_the_owner_alone(api: Client, owner: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the role that serves it says in one line that it may not."""
    put_on(api, owner, "home")
    monkeypatch.setenv("APP_DATABASE_URL", api.app_dsn)
    with pytest.raises(SystemExit, match=r"^refresh: .*materialized view tags_in_use"):
        main()
    assert pages(api) == []
