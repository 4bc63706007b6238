"""The tables of tags and of the tags on todos, and the materialized view that counts them."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, event, func, select
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import CreateIndex, CreateView

from sealy.db.base import Base, Key


class Tag(Base):
    """A word that a user puts on todos; case-insensitive, and unique per user."""

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


_counts = select(Tag.owner_id, Tag.name, func.count().label("todos"))
_counts = _counts.join(TodoTag, TodoTag.tag_id == Tag.id).group_by(Tag.owner_id, Tag.name)
_view = CreateView(_counts, "tags_in_use", materialized=True)
# Each owner's tags with their number of todos, as of the last refresh; in Base.metadata it would become a table.
TAGS_IN_USE = _view.table

# REFRESH … CONCURRENTLY needs a unique index over all rows; it also serves one owner's list in order of name.
_index = Index("ix_tags_in_use_owner_id_name", TAGS_IN_USE.c.owner_id, TAGS_IN_USE.c.name, unique=True)
event.listen(Base.metadata, "after_create", _view)
event.listen(Base.metadata, "after_create", CreateIndex(_index))
