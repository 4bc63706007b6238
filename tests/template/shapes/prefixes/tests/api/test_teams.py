"""What streams, stays open, or goes on after the answer."""

from __future__ import annotations

import pytest
from websockets.sync.client import connect

from harness.api.client import Client
from tests.api.examples import team

pytestmark = pytest.mark.api


def create(api: Client, team_id: int) -> int:
    """The id of a new task."""
    answer = api.post(f"/api/teams/{team_id}/tasks", json={"title": "Water the plants"})
    return int(answer.raise_for_status().json()["id"])


def test_a_new_task_is_in_the_log_after_its_answer(api: Client) -> None:
    """The background task has ended when the request is judged, and its statements are not the route's."""
    task = create(api, team(api))
    assert [row["line"] for row in api.rows("log")] == [f"task {task}"]
    assert api.last.queries == 1


def test_an_export_has_a_line_for_each_task(api: Client) -> None:
    """It is read to its end."""
    team_id = team(api)
    task = create(api, team_id)
    assert api.get(f"/api/teams/{team_id}/export").text == f"id,title\n{task},Water the plants\n"


def test_an_open_stream_shows_what_other_requests_do(api: Client) -> None:
    """It stays open meanwhile."""
    team_id = team(api)
    with api.stream("GET", f"/api/teams/{team_id}/events") as answer:
        lines = (line for line in answer.iter_lines() if line)
        assert next(lines) == 'data: {"id":null}'
        task = create(api, team_id)
        assert next(line for line in lines if "null" not in line) == f'data: {{"id":{task}}}'
    assert create(api, team_id) > task


def test_an_open_socket_answers_while_other_requests_are_served(api: Client) -> None:
    """It is left open until the end of the block."""
    team_id = team(api)
    address = api.base_url.copy_with(scheme="ws").join(f"/api/teams/{team_id}/live")
    with connect(str(address), proxy=None) as socket:
        socket.send("newest?")
        assert socket.recv() == "null"
        task = create(api, team_id)
        socket.send("newest?")
        assert socket.recv() == str(task)
