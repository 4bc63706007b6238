"""The table of users, and its statements."""

from sqlalchemy import CheckConstraint, bindparam, insert, select
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.orm import Mapped, mapped_column

from quill.db.base import Base, CreatedAt, Key


class User(Base):
    """A user, with the digest of their token."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("char_length(email) BETWEEN 3 AND 254", name="email_length"),)

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(CITEXT, unique=True)
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[CreatedAt]


CREATE_USER = insert(User).values(email=bindparam("email"), token_digest=bindparam("token_digest")).returning(User.id)
USER_OF_TOKEN = select(User.id).where(User.token_digest == bindparam("digest"))
