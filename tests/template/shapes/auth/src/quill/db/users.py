"""The table of users."""

from sqlalchemy import CheckConstraint, bindparam, insert
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.orm import Mapped, mapped_column

from quill.db.base import Base, CreatedAt, Key


class User(Base):
    """Whose notes are kept."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("char_length(email) BETWEEN 3 AND 254", name="email_length"),)

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(CITEXT, unique=True)
    created_at: Mapped[CreatedAt]


CREATE_USER = insert(User).values(email=bindparam("email")).returning(User.id)
