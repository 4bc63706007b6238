"""Titles of up to 500 characters instead of 200.

The downgrade fails, and changes nothing, while a title is longer than 200: a person decides how to shorten it.

Revision: 0005
Revises: 0004
"""

from __future__ import annotations

from alembic import op

revision: str = "0005"
down_revision: str | tuple[str, ...] | None = "0004"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.replace_check("todos", "ck_todos_title_length", "char_length(title) BETWEEN 1 AND 500")


def downgrade() -> None:
    op.replace_check("todos", "ck_todos_title_length", "char_length(title) BETWEEN 1 AND 200")
