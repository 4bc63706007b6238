"""The probes. Their names do not end in z: some platforms keep such paths to themselves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from sealy.api.database import database
from sealy.api.problems import RETRY_AFTER, problem, problems
from sealy.db.engine import Database

router = APIRouter(tags=["probes"])


class Status(BaseModel):
    """The answer of a probe that succeeds."""

    status: str = "ok"


@router.get("/health", summary="Whether the process lives")
async def health() -> Status:
    """For liveness: it asks nothing of the database, whose absence no restart would cure."""
    return Status()


@router.get("/ready", summary="Whether requests can be served", responses=problems(503), response_model=Status)
def ready(pool: Annotated[Database, Depends(database)]) -> Status | Response:
    """For deployments: the pool is open, the database answers and stands at the revision that this code needs."""
    reason = pool.why_not_ready()
    return problem(503, reason, headers=RETRY_AFTER) if reason else Status()
