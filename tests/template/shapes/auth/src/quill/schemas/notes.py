"""Notes and comments, in requests and answers."""

from typing import Annotated

from pydantic import Field

from quill.enums import Colour
from quill.schemas.types import Answer, Id, Instant, Request, Text


class NewNote(Request):
    """A note to create."""

    title: Annotated[Text, Field(max_length=200, examples=["Water the plants"])]
    colour: Colour = Colour.YELLOW


class NoteOut(Answer):
    """A note, and how many comments it has."""

    id: Id
    title: str
    colour: Colour
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
