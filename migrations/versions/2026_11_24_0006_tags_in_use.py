"""Each owner's tags with the number of todos that carry them, counted ahead.

Reading the tables for the first count takes no lock that a writer waits for. The unique index is what lets later
refreshes run CONCURRENTLY.

Revision: 0006
Revises: 0005
"""

from __future__ import annotations

from alembic import op

revision: str = "0006"
down_revision: str | tuple[str, ...] | None = "0005"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.execute(
        "CREATE MATERIALIZED VIEW tags_in_use AS"
        " SELECT tags.owner_id, tags.name, count(*) AS todos"
        " FROM tags JOIN todo_tags ON todo_tags.tag_id = tags.id GROUP BY tags.owner_id, tags.name"
    )
    op.create_index(op.f("ix_tags_in_use_owner_id_name"), "tags_in_use", ["owner_id", "name"], unique=True)


def downgrade() -> None:
    op.execute("DROP MATERIALIZED VIEW tags_in_use")
