"""The database: models, statements, the pool of connections, and the revision that this release needs."""

from quill.db.base import Base
from quill.db.notes import Comment, Note
from quill.db.users import User

metadata = Base.metadata

__all__ = ["Comment", "Note", "User", "metadata"]
