"""/api/teams, and the tasks of a team with what streams, stays open, or goes on after the answer."""

import time
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException, Query, WebSocket
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.sse import EventSourceResponse
from sqlalchemy import Engine

from quill.api.deps import Reads, Route, Writes
from quill.db import tasks as statements
from quill.runtime.problems import problems
from quill.schemas.tasks import Newest, NewTask, NewTeam, State, TaskOut, TeamOut
from quill.schemas.types import LARGEST_ID, Id

router = APIRouter(prefix="/teams", tags=["teams"], route_class=Route)

Limit = Annotated[int, Query(ge=1, le=100)]
Before = Annotated[int, Query(ge=1, le=LARGEST_ID + 1)]


def _team(team_id: Id, reads: Reads) -> int:
    with reads.connect() as connection:
        if connection.execute(statements.READ_TEAM, {"team_id": team_id}).one_or_none() is None:
            raise HTTPException(404, f"team {team_id} does not exist")
    return team_id


TeamId = Annotated[int, Depends(_team)]


@router.post("", status_code=201, summary="Create a team", responses=problems(415, 422, 503))
def create_team(team: NewTeam, writes: Writes) -> TeamOut:
    """Names may repeat."""
    with writes.begin() as connection:
        return TeamOut.model_validate(connection.execute(statements.CREATE_TEAM, {"name": team.name}).one())


@router.get("/{team_id}/tasks", summary="List a team's tasks", responses=problems(422, 503))
def list_tasks(
    team_id: Id, reads: Reads, state: State | None = None, limit: Limit = 50, before: Before = LARGEST_ID + 1
) -> list[TaskOut]:
    """Newest first; `before` is the id of the last task of the previous page."""
    filters = {"state": state} if state else {}
    with reads.connect() as connection:
        values = {**filters, "team_id": team_id, "before": before, "limit": limit}
        rows = connection.execute(statements.list_tasks(*filters), values).all()
    return [TaskOut.model_validate(row) for row in rows]


def _log(writes: Engine, line: str) -> None:
    with writes.begin() as connection:
        connection.execute(statements.LOG, {"line": line})


@router.post("/{team_id}/tasks", status_code=201, summary="Create a task", responses=problems(404, 409, 415, 422, 503))
def create_task(team_id: Id, task: NewTask, writes: Writes, later: BackgroundTasks) -> TaskOut:
    """A line in the log follows after the answer."""
    with writes.begin() as connection:
        row = connection.execute(statements.CREATE_TASK, {"team_id": team_id, "title": task.title}).one()
    later.add_task(_log, writes, f"task {row.id}")
    return TaskOut.model_validate(row)


@router.get(
    "/{team_id}/export",
    summary="Export a team's tasks",
    response_class=PlainTextResponse,
    responses=problems(422, 503),
)
def export(team_id: Id, reads: Reads) -> StreamingResponse:
    """The newest tasks as lines of text, read before the answer begins."""
    with reads.connect() as connection:
        values = {"team_id": team_id, "before": LARGEST_ID + 1, "limit": 100}
        rows = connection.execute(statements.list_tasks(), values).all()

    def lines() -> Iterator[str]:
        yield "id,title\n"
        for row in rows:
            yield f"{row.id},{row.title}\n"

    return StreamingResponse(lines(), media_type="text/plain")


@router.get(
    "/{team_id}/events",
    summary="Follow a team's tasks",
    response_class=EventSourceResponse,
    responses=problems(404, 422, 503),
)
def events(team_id: TeamId, reads: Reads) -> Iterator[Newest]:
    """The id of the newest task, ten times a second, without an end."""
    while True:
        with reads.connect() as connection:
            newest = connection.scalar(statements.NEWEST_TASK, {"team_id": team_id})
        yield Newest(id=newest)
        time.sleep(0.1)


@router.websocket("/{team_id}/live")
async def live(socket: WebSocket, team_id: int) -> None:
    """Answers each message with the id of the newest task."""

    def newest() -> int | None:
        reads: Engine = socket.app.state.database.reads
        with reads.connect() as connection:
            found: int | None = connection.scalar(statements.NEWEST_TASK, {"team_id": team_id})
        return found

    await socket.accept()
    async for _ in socket.iter_text():
        await socket.send_json(await run_in_threadpool(newest))
