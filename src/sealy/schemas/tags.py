"""Shapes of tags."""

from sealy.schemas.types import Answer, Id


class TagOut(Answer):
    """A tag of one owner, and the number of todos that carry it."""

    owner_id: Id
    name: str
    todos: int
