"""Pages of lists. A cursor is the position where a page ends, as opaque text: base64url of JSON."""

import base64
import json
from typing import Annotated, Generic, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import Field, TypeAdapter

from sealy.schemas.types import Answer, Id, Request, TagName

T = TypeVar("T")
Cursor = Annotated[str, Field(min_length=1, max_length=500, description="`next` of the previous page")]
TODO_POSITION = TypeAdapter(tuple[Id])
TAG_POSITION = TypeAdapter(tuple[Id, TagName])


class Filter(Request):
    """What to list, and how many items per page."""

    owner_id: Id | None = Field(default=None, description="Only this user's items", examples=[1])
    limit: int = Field(default=50, ge=1, le=100, description="Items per page")
    cursor: Cursor | None = Field(default=None, examples=["WzEsImhvbWUiXQ=="])


class Page(Answer, Generic[T]):
    """Part of a list, and the cursor of the next page; null on the last page."""

    items: list[T]
    next: str | None


def encode(*position: object) -> str:
    """Return a position as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(position, ensure_ascii=False).encode()).decode()


def decode(cursor: str, kind: TypeAdapter[T]) -> T:
    """Return the position of a cursor; a text that is not a cursor of this list is answered with 422."""
    try:
        return kind.validate_json(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except ValueError:
        message = "not a cursor of this list: use the `next` of an earlier page"
        raise RequestValidationError([{"loc": ("query", "cursor"), "msg": message}]) from None
