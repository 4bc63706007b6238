"""/v1/users."""

from fastapi import APIRouter

from quill.api.auth import ApiKey, token_of
from quill.api.deps import Route, Writes
from quill.db.users import CREATE_USER
from quill.runtime.problems import problems
from quill.schemas.notes import NewUser, UserOut

router = APIRouter(prefix="/v1/users", tags=["users"], route_class=Route)


@router.post("", status_code=201, summary="Create a user", responses=problems(401, 409, 415, 422, 503))
def create_user(user: NewUser, key: ApiKey, writes: Writes) -> UserOut:
    """The answer holds the user's token."""
    with writes.begin() as connection:
        number = connection.scalars(CREATE_USER, {"email": user.email}).one()
    return UserOut(id=number, token=token_of(number, key))
