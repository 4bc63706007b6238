"""Every todo knows when it was made: rows without a time get one in batches, then the column is NOT NULL.

Revision: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | tuple[str, ...] | None = "0003"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.update_in_batches(
        "todos", "UPDATE todos SET created_at = now() WHERE created_at IS NULL AND id > :after AND id <= :last"
    )
    op.add_not_null("todos", "created_at")


def downgrade() -> None:
    op.alter_column("todos", "created_at", existing_type=sa.DateTime(timezone=True), nullable=True)
