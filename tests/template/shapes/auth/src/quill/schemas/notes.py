"""What requests hold and answers show."""

from typing import Annotated

from pydantic import Field

from quill.schemas.types import Answer, Id, Instant, Request, Text

ADDRESS = r"^[a-z0-9]{1,64}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,3}$"


class NewUser(Request):
    """A user to create."""

    email: Annotated[Text, Field(max_length=254, pattern=ADDRESS, examples=["ada@example.org"])]


class UserOut(Answer):
    """A user and their token."""

    id: Id
    token: str


class NewNote(Request):
    """A note to create."""

    title: Annotated[Text, Field(max_length=200, examples=["Water the plants"])]


class NoteOut(Answer):
    """A note, and how many comments it has."""

    id: Id
    title: str
    archived: bool
    created_at: Instant
    comments: int


class NotePage(Answer):
    """Part of the list; `next` is null on its last page."""

    items: list[NoteOut]
    next: int | None


class NewComment(Request):
    """A comment to add."""

    body: Annotated[Text, Field(max_length=1000, examples=["Twice a week"])]


class CommentOut(Answer):
    """A comment."""

    id: Id
    body: str
