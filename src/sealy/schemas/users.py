"""Shapes of users."""

from sealy.schemas.types import Answer, Email, Id, Instant, Request


class NewUser(Request):
    """A user to create."""

    email: Email


class UserOut(Answer):
    """A user."""

    id: Id
    email: str
    created_at: Instant
