"""Shapes of users."""

from __future__ import annotations

from pydantic import ConfigDict

from sealy.schemas.types import Answer, Email, Id, Instant, Request


class NewUser(Request):
    """A user to be made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ada@example.org"}]})

    email: Email


class UserOut(Answer):
    """A user."""

    id: Id
    email: str
    created_at: Instant
