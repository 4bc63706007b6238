"""The values that requests and responses are made of, with their bounds."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

LARGEST_ID = 2**53 - 1  # the largest integer that every JSON parser reads exactly (RFC 8259, section 6)
NO_NUL = r"^[^\u0000]*$"  # PostgreSQL text cannot hold the character NUL
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)  # in any time zone
ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,9}$"


class Request(BaseModel):
    """A request; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """A response, read from a row of the database."""

    model_config = ConfigDict(from_attributes=True)


def _is_text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("expected text such as 2026-11-24T09:00:00Z")
    return value


Id = Annotated[int, Field(ge=1, le=LARGEST_ID, examples=[1])]
StrictId = Annotated[Id, Field(strict=True)]
StrictBool = Annotated[bool, Field(strict=True, examples=[True])]
Instant = Annotated[datetime, AfterValidator(lambda value: value.astimezone(UTC))]
_due = Field(ge=EARLIEST, le=LATEST, examples=["2027-01-31T18:00:00Z"])
DueAt = Annotated[AwareDatetime, _due, BeforeValidator(_is_text)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, pattern=NO_NUL)]
Title = Annotated[Text, Field(max_length=500, examples=["Water the plants"])]
TagName = Annotated[Text, Field(max_length=50, examples=["home"])]
TagNames = Annotated[list[TagName], Field(max_length=20, examples=[["home", "urgent"]])]
Email = Annotated[Text, Field(min_length=3, max_length=254, pattern=ADDRESS, examples=["ada@example.org"])]
