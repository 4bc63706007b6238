"""Shapes of todos."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from sealy.schemas.cursor import Cursor
from sealy.schemas.types import Answer, DueAt, Id, Instant, Request, StrictBool, StrictId, TagName, TagNames, Title


class NewTodo(Request):
    """A todo to be made; tags that its owner does not have yet are made with it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"owner_id": 1, "title": "Water the plants", "due_at": "2027-01-31T18:00:00Z", "tags": ["home"]}
            ]
        }
    )

    owner_id: StrictId
    title: Title
    due_at: DueAt | None = None
    tags: TagNames = Field(default_factory=list)


class TodoChange(Request):
    """The fields to change, at least one; those that are not named stay as they are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"done": True}], "minProperties": 1})

    title: Title = Field(default_factory=str)
    done: StrictBool = Field(default_factory=bool)
    due_at: DueAt | None = None


class TodoTags(Request):
    """All the tags that a todo is to have."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tags": ["home", "urgent"]}]})

    tags: TagNames


class TodoFilter(Request):
    """Which todos to list, and how many at once."""

    owner_id: Id | None = Field(default=None, description="Only this user's", examples=[1])
    done: bool | None = Field(default=None, description="Only what is done, or is not", examples=[False])
    tag: TagName | None = Field(default=None, description="Only with this tag, in any case", examples=["home"])
    limit: int = Field(default=50, ge=1, le=100, description="Todos on a page")
    cursor: Cursor | None = Field(default=None, description="The `next` of the page before")


class TodoOut(Answer):
    """A todo with the names of its tags."""

    id: Id
    owner_id: Id
    title: str
    done: bool
    due_at: Instant | None
    created_at: Instant
    tags: list[str]


class TodoPage(Answer):
    """Todos, the latest first, and the cursor of the next page; null on the last one."""

    items: list[TodoOut]
    next: str | None
