"""Where a page ends, as an opaque text: base64url of JSON, so that it may gain fields without breaking clients."""

from __future__ import annotations

import base64
from typing import Annotated, Self

from pydantic import AfterValidator, Field

from sealy.schemas.types import LARGEST_ID, NO_NUL, Id, Request


class _Position(Request):
    def encode(self) -> str:
        """Write the position as a cursor."""
        return base64.urlsafe_b64encode(self.model_dump_json().encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, cursor: str | None) -> Self:
        """Read a cursor; none is the start.

        Raises:
            ValueError: when the text is no cursor of `encode`.
        """
        if cursor is None:
            return cls()
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            return cls.model_validate_json(base64.b64decode(padded, altchars=b"-_", validate=True))
        except ValueError:
            raise ValueError("not a cursor of this list: take the `next` of an earlier page") from None

    @classmethod
    def check(cls, cursor: str) -> str:
        """The cursor as it is.

        Raises:
            ValueError: when it is none.
        """
        cls.decode(cursor)
        return cursor


class Position(_Position):
    """The next page holds what comes before this id."""

    before: Id = LARGEST_ID + 1


class TagPosition(_Position):
    """The next page holds what comes after this owner's tag of this name."""

    owner_id: int = Field(default=0, ge=0, le=LARGEST_ID)
    name: str = Field(default="", max_length=50, pattern=NO_NUL)


Cursor = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(Position.check)]
TagCursor = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(TagPosition.check)]
