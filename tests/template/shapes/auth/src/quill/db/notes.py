"""The tables of notes and comments, and their statements."""

from functools import cache
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    Select,
    Text,
    bindparam,
    delete,
    false,
    func,
    insert,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from quill.db.base import Base, CreatedAt, Key
from quill.enums import Colour

COLOUR = Enum(Colour, name="colour", values_callable=lambda kind: [each.value for each in kind])


class Note(Base):
    """A note of one user. Each index serves the list, in its order."""

    __tablename__ = "notes"
    __table_args__ = (
        CheckConstraint("char_length(title) BETWEEN 1 AND 200", name="title_length"),
        Index(None, "user_id", "id"),
        Index(None, "user_id", "archived", "id"),
    )

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str]
    colour: Mapped[Colour] = mapped_column(COLOUR, server_default=Colour.YELLOW.value)
    archived: Mapped[bool] = mapped_column(server_default=false())
    created_at: Mapped[CreatedAt]


class Comment(Base):
    """A comment on a note."""

    __tablename__ = "comments"
    __table_args__ = (
        CheckConstraint("char_length(body) BETWEEN 1 AND 1000", name="body_length"),
        Index(None, "note_id"),
    )

    id: Mapped[Key]
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id", ondelete="CASCADE"))
    body: Mapped[str]
    created_at: Mapped[CreatedAt]


COLUMNS = (Note.id, Note.title, Note.colour, Note.archived, Note.created_at)
COMMENTS = select(func.count()).select_from(Comment).where(Comment.note_id == Note.id).correlate(Note)
NOTE = (*COLUMNS, COMMENTS.scalar_subquery().label("comments"))
OWN = (Note.id == bindparam("id"), Note.user_id == bindparam("user_id"))
CREATE_NOTE = (
    insert(Note)
    .values(user_id=bindparam("user_id"), title=bindparam("title"), colour=bindparam("colour"))
    .returning(*COLUMNS)
)
READ_NOTE = select(*NOTE).where(*OWN)
DELETE_NOTE = delete(Note).where(*OWN)
_found = select(Note.id, bindparam("body", type_=Text)).where(
    Note.id == bindparam("note_id"), Note.user_id == bindparam("user_id")
)
COMMENT = insert(Comment).from_select(["note_id", "body"], _found).returning(Comment.id, Comment.body)


@cache
def list_notes(*filters: str) -> Select[Any]:
    """Return one user's notes before the id `before`, newest first; `filters` may hold archived."""
    where = [Note.user_id == bindparam("user_id"), Note.id < bindparam("before")]
    where += [Note.archived == bindparam("archived")] if "archived" in filters else []
    return select(*NOTE).where(*where).order_by(Note.id.desc()).limit(bindparam("limit"))
