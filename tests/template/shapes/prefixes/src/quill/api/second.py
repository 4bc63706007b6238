"""The second version of the API: an app that the first one mounts at /v2."""

import time
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query
from fastapi.sse import EventSourceResponse

from quill.api import conflicts
from quill.api.deps import Reads, Route
from quill.db import tasks as statements
from quill.db.engine import Database
from quill.runtime import problems
from quill.schemas.tasks import Newest, TeamOut
from quill.schemas.types import LARGEST_ID

router = APIRouter(prefix="/teams", tags=["teams"], route_class=Route)


@router.get("", summary="List teams", responses=problems.problems(422, 503))
def list_teams(reads: Reads, before: Annotated[int, Query(ge=1, le=LARGEST_ID + 1)] = LARGEST_ID + 1) -> list[TeamOut]:
    """Newest first."""
    with reads.connect() as connection:
        rows = connection.execute(statements.LIST_TEAMS, {"before": before}).all()
    return [TeamOut.model_validate(row) for row in rows]


@router.get("/events", summary="Follow the teams", response_class=EventSourceResponse)
def events(reads: Reads) -> Iterator[Newest]:
    """The id of the newest team, ten times a second, without an end."""
    while True:
        with reads.connect() as connection:
            newest = connection.scalar(statements.NEWEST_TEAM)
        yield Newest(id=newest)
        time.sleep(0.1)


def create_second(database: Database) -> FastAPI:
    """Return the app; the one that mounts it opens and closes the database."""
    app = FastAPI(title="Quill", version="2", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.database = database
    app.include_router(router)
    problems.install(app, conflicts.FIELDS)
    return app
