"""Indexes for the filters of the list, built while the tables are written to.

Revision: 0003
Revises: 0002
"""

from __future__ import annotations

from alembic import op

revision: str = "0003"
down_revision: str | tuple[str, ...] | None = "0002"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index_concurrently("ix_todos_owner_id_done_id", "todos", ["owner_id", "done", "id"])
        op.create_index_concurrently("ix_todos_done_id", "todos", ["done", "id"])
        op.create_index_concurrently("ix_tags_name", "tags", ["name"])


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index_concurrently("ix_tags_name", "tags")
        op.drop_index_concurrently("ix_todos_done_id", "todos")
        op.drop_index_concurrently("ix_todos_owner_id_done_id", "todos")
