"""/v1/users."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Response

from sealy.api.deps import Reads, Writes
from sealy.api.problems import Route, problems
from sealy.db.statements import CREATE_USER, READ_USER
from sealy.schemas.types import LARGEST_ID
from sealy.schemas.users import NewUser, UserOut

router = APIRouter(prefix="/v1/users", tags=["users"], route_class=Route)

UserId = Annotated[int, Path(ge=1, le=LARGEST_ID, examples=[1])]


@router.post("", status_code=201, summary="Create a user", responses=problems(409, 415, 422, 503))
def create_user(user: NewUser, writes: Writes, response: Response) -> UserOut:
    """409 when the address is taken, in whatever case."""
    with writes.begin() as connection:
        row = connection.execute(CREATE_USER, {"email": user.email}).one()
    response.headers["Location"] = f"/v1/users/{row.id}"
    return UserOut.model_validate(row)


@router.get("/{user_id}", summary="Read a user", responses=problems(404, 422, 503))
def read_user(user_id: UserId, reads: Reads) -> UserOut:
    """One user."""
    with reads.connect() as connection:
        row = connection.execute(READ_USER, {"id": user_id}).one_or_none()
    if row is None:
        raise HTTPException(404, f"there is no user {user_id}")
    return UserOut.model_validate(row)
