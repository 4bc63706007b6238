"""Shapes of todos."""

from pydantic import Field

from sealy.schemas import types
from sealy.schemas.pages import Cursor, Filter
from sealy.schemas.types import Answer, Id, Instant, Request


class NewTodo(Request):
    """A todo to create; tags that its owner does not have yet are created with it."""

    owner_id: types.StrictId
    title: types.Title
    due_at: types.DueAt | None = None
    tags: types.TagNames = Field(default_factory=list)


class TodoChange(Request):
    """The fields to change, at least one; the others keep their values."""

    title: types.Title = Field(default_factory=str)
    done: types.StrictBool = Field(default_factory=bool)
    due_at: types.DueAt | None = None


class TodoTags(Request):
    """All the tags that a todo is to have."""

    tags: types.TagNames


class TodoFilter(Filter):
    """Which todos to list, and how many per page."""

    done: bool | None = Field(default=None, description="Only todos that are done, or are not", examples=[False])
    tag: types.TagName | None = Field(default=None, description="Only todos with this tag", examples=["home"])
    cursor: Cursor | None = Field(default=None, examples=["WzFd"])


class TodoOut(Answer):
    """A todo with the names of its tags."""

    id: Id
    owner_id: Id
    title: str
    done: bool
    due_at: Instant | None
    created_at: Instant
    tags: list[str]
