"""The probes. Their names do not end in z: some platforms keep such paths to themselves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from sealy.api.deps import database
from sealy.api.problems import RETRY_AFTER, problem, problems
from sealy.db.engine import Database

router = APIRouter(tags=["probes"])


@router.get("/health", summary="Whether the process lives")
async def health() -> dict[str, str]:
    """For liveness: it asks nothing of the database, whose absence no restart would cure."""
    return {"status": "ok"}


@router.get("/ready", summary="Whether requests can be served", responses=problems(503), response_model=dict[str, str])
def ready(pool: Annotated[Database, Depends(database)]) -> dict[str, str] | Response:
    """For deployments: the pool is open, the database answers and stands at the revision that this code needs."""
    reason = pool.why_not_ready()
    return problem(503, reason, headers=RETRY_AFTER) if reason else {"status": "ok"}
