"""/v1/users."""

from fastapi import APIRouter, HTTPException, Response

from sealy.api.deps import Reads, Route, Writes
from sealy.db.statements import CREATE_USER, READ_USER
from sealy.runtime.problems import problems
from sealy.schemas.types import Id
from sealy.schemas.users import NewUser, UserOut

router = APIRouter(prefix="/v1/users", tags=["users"], route_class=Route)


@router.post("", status_code=201, summary="Create a user", responses=problems(409, 415, 422, 503))
def create_user(user: NewUser, writes: Writes, response: Response) -> UserOut:
    """409 if the e-mail address is taken; addresses are case-insensitive."""
    with writes.begin() as connection:
        row = connection.execute(CREATE_USER, {"email": user.email}).one()
    response.headers["Location"] = f"/v1/users/{row.id}"
    return UserOut.model_validate(row)


@router.get("/{user_id}", summary="Read a user", responses=problems(404, 422, 503))
def read_user(user_id: Id, reads: Reads) -> UserOut:
    """One user."""
    with reads.connect() as connection:
        row = connection.execute(READ_USER, {"id": user_id}).one_or_none()
    if row is None:
        raise HTTPException(404, f"user {user_id} does not exist")
    return UserOut.model_validate(row)
