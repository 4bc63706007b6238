"""The values that requests and answers are made of, with their bounds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

LARGEST_ID = 2**53 - 1
"""The largest integer that every JSON reader takes exactly (RFC 8259, section 6)."""

NO_NUL = r"^[^\u0000]*$"
"""PostgreSQL text cannot hold the character NUL."""

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(9998, 12, 31, tzinfo=UTC)
"""Between these a time can be stored, and read back in any time zone."""


class Request(BaseModel):
    """A request: a field that it does not know is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """An answer, read from a row of the database."""

    model_config = ConfigDict(from_attributes=True)


def _is_text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("expected text such as 2026-11-24T09:00:00Z")
    return value


def _is_in_bounds(value: datetime) -> datetime:
    if not EARLIEST <= value <= LATEST:
        raise ValueError(f"expected a time between {EARLIEST:%Y-%m-%d} and {LATEST:%Y-%m-%d}")
    return value


def _in_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
StrictId = Annotated[int, Field(ge=1, le=LARGEST_ID, strict=True)]
StrictBool = Annotated[bool, Field(strict=True)]
Instant = Annotated[datetime, AfterValidator(_in_utc)]
DueAt = Annotated[AwareDatetime, BeforeValidator(_is_text), AfterValidator(_is_in_bounds), AfterValidator(_in_utc)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=NO_NUL)]
TagName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50, pattern=NO_NUL)]
TagNames = Annotated[list[TagName], Field(max_length=20)]
Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=3,
        max_length=254,
        pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,9}$",
    ),
]
