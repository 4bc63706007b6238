"""The tables of tags, and of the tags on todos."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.orm import Mapped, mapped_column

from sealy.db.base import Base, Key


class Tag(Base):
    """A word that one user puts on todos; unique for that user whatever its case."""

    __tablename__ = "tags"
    __table_args__ = (
        CheckConstraint("char_length(name) BETWEEN 1 AND 50", name="name_length"),
        UniqueConstraint("owner_id", "name"),
        Index(None, "name"),
    )

    id: Mapped[Key]
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(CITEXT)


class TodoTag(Base):
    """One tag on one todo."""

    __tablename__ = "todo_tags"
    __table_args__ = (Index(None, "tag_id", "todo_id"),)

    todo_id: Mapped[int] = mapped_column(ForeignKey("todos.id", ondelete="CASCADE"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
