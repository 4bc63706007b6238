"""The probes. Their paths do not end in z: some platforms reserve such paths."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException

from sealy.api.deps import database
from sealy.db.engine import Database
from sealy.runtime.problems import problems

router = APIRouter(tags=["probes"])


@router.get("/health", summary="Liveness")
async def health() -> dict[str, str]:
    """200 while the process runs. It does not ask the database: a restart would not bring that back."""
    return {"status": "ok"}


@router.get("/ready", summary="Readiness", responses=problems(503))
def ready(pool: Annotated[Database, Depends(database)]) -> dict[str, str]:
    """200 once the pool is open and the database has the revision that this release needs, or a later one."""
    if reason := pool.why_not_ready():
        raise HTTPException(503, reason)
    return {"status": "ok"}
