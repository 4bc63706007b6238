"""/v1/users."""

import secrets

from fastapi import APIRouter, Depends

from quill.api.auth import api_key, digest
from quill.api.deps import Route, Writes
from quill.db.users import CREATE_USER
from quill.runtime.problems import problems
from quill.schemas.users import NewUser, UserOut

router = APIRouter(prefix="/v1/users", tags=["users"], route_class=Route, dependencies=[Depends(api_key)])


@router.post("", status_code=201, summary="Create a user", responses=problems(401, 409, 415, 422, 503))
def create_user(user: NewUser, writes: Writes) -> UserOut:
    """The answer holds the user's token, which cannot be read again."""
    token = secrets.token_urlsafe()
    with writes.begin() as connection:
        number = connection.scalars(CREATE_USER, {"email": user.email, "token_digest": digest(token)}).one()
    return UserOut(id=number, token=token)
