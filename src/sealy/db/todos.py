"""The table of todos."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, false
from sqlalchemy.orm import Mapped, mapped_column

from sealy.db.base import Base, CreatedAt, Key


class Todo(Base):
    """Something that a user wants to do. Each index serves one filter of the list, in the list's order."""

    __tablename__ = "todos"
    __table_args__ = (
        CheckConstraint("char_length(title) BETWEEN 1 AND 500", name="title_length"),
        Index(None, "owner_id", "id"),
        Index(None, "owner_id", "done", "id"),
        Index(None, "done", "id"),
    )

    id: Mapped[Key]
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str]
    done: Mapped[bool] = mapped_column(server_default=false())
    due_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]
