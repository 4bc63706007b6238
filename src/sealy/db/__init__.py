"""The database: models by table group, the engine, and the revision that the code needs."""

from __future__ import annotations

from sealy.db.base import Base
from sealy.db.tags import Tag, TodoTag
from sealy.db.todos import Todo
from sealy.db.users import User
from sealy.db.views import TAGS_IN_USE

metadata = Base.metadata

__all__ = ["TAGS_IN_USE", "Tag", "Todo", "TodoTag", "User", "metadata"]
