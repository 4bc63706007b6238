"""A user, in requests and answers."""

from typing import Annotated

from pydantic import Field

from quill.schemas.types import Answer, Id, Request, Text

ADDRESS = r"^[a-z0-9]{1,64}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,3}$"


class NewUser(Request):
    """A user to create."""

    email: Annotated[Text, Field(max_length=254, pattern=ADDRESS, examples=["ada@example.org"])]


class UserOut(Answer):
    """A user and their token."""

    id: Id
    token: str
