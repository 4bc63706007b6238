"""The table of users."""

from sqlalchemy import CheckConstraint
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.orm import Mapped, mapped_column

from sealy.db.base import Base, CreatedAt, Key


class User(Base):
    """A person who owns todos; the e-mail address is unique and case-insensitive."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("char_length(email) BETWEEN 3 AND 254", name="email_length"),)

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(CITEXT, unique=True)
    created_at: Mapped[CreatedAt]
