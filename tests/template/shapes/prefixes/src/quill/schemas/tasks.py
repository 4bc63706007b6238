"""What requests hold and answers show."""

from typing import Annotated, Literal

from pydantic import Field

from quill.schemas.types import Answer, Id, Request, Text

State = Literal["open", "done"]


class NewTeam(Request):
    """A team to create."""

    name: Annotated[Text, Field(max_length=100, examples=["Gardeners"])]


class TeamOut(Answer):
    """A team."""

    id: Id
    name: str


class NewTask(Request):
    """A task to create."""

    title: Annotated[Text, Field(max_length=200, examples=["Water the plants"])]


class TaskOut(Answer):
    """A task."""

    id: Id
    title: str
    state: State


class Newest(Answer):
    """The id of the newest row."""

    id: int | None
