"""The database: models, statements, the pool of connections, and the revision that this release needs."""

from sealy.db.base import Base
from sealy.db.tags import TAGS_IN_USE, Tag, TodoTag
from sealy.db.todos import Todo
from sealy.db.users import User

metadata = Base.metadata

__all__ = ["TAGS_IN_USE", "Tag", "Todo", "TodoTag", "User", "metadata"]
