"""Tags, and the tags on todos.

Revision: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | tuple[str, ...] | None = "0001"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "tags",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("name", postgresql.CITEXT(), nullable=False),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 50", name=op.f("ck_tags_name_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_tags_owner_id_users"), ondelete="CASCADE"),
        # Serves the foreign key to users too: its column comes first.
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_tags_owner_id_name")),
    )
    op.create_table(
        "todo_tags",
        sa.Column("todo_id", sa.BigInteger(), nullable=False),
        sa.Column("tag_id", sa.BigInteger(), nullable=False),
        # Serves the foreign key to todos; the one to tags needs its own index.
        sa.PrimaryKeyConstraint("todo_id", "tag_id", name=op.f("pk_todo_tags")),
        sa.ForeignKeyConstraint(["todo_id"], ["todos.id"], name=op.f("fk_todo_tags_todo_id_todos"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name=op.f("fk_todo_tags_tag_id_tags"), ondelete="CASCADE"),
    )
    op.create_index(op.f("ix_todo_tags_tag_id_todo_id"), "todo_tags", ["tag_id", "todo_id"])


def downgrade() -> None:
    op.drop_table("todo_tags")
    op.drop_table("tags")
