"""Shapes of tags."""

from __future__ import annotations

from pydantic import Field

from sealy.schemas.cursor import TagCursor
from sealy.schemas.types import Answer, Id, Request


class TagFilter(Request):
    """Which tags to list, and how many at once."""

    owner_id: Id | None = Field(default=None, description="Only this user's", examples=[1])
    limit: int = Field(default=50, ge=1, le=100, description="Tags on a page")
    cursor: TagCursor | None = Field(default=None, description="The `next` of the page before")


class TagOut(Answer):
    """A tag of one owner, and how many todos carry it."""

    owner_id: Id
    name: str
    todos: int


class TagPage(Answer):
    """Tags by owner and name, and the cursor of the next page; null on the last one."""

    items: list[TagOut]
    next: str | None
