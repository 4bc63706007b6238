"""The database: models, statements, the pool of connections, and the revision that this release needs."""

from quill.db.base import Base
from quill.db.tasks import Line, Task, Team

metadata = Base.metadata

__all__ = ["Line", "Task", "Team", "metadata"]
