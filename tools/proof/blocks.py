"""The parts of the changes: a revision after the head, and a table with its model."""

from __future__ import annotations

from textwrap import indent

from tools.proof.change import HEAD, Edit

PLANTED = "migrations/versions/planted.py"
HAZARDS = ("tests/migrations/test_hazards.py::test_a_revision_does_no_harm[NEXT_REVISION]",)
DRIFT = ("tests/schema/test_drift.py",)
STAIRWAY = ("tests/migrations/test_stairway.py",)

LISTED = Edit(HEAD, '"HEAD_REVISION",', '"HEAD_REVISION",\n    "NEXT_REVISION",')
"""The planted revision in the app's list."""

REVISION = '''"""Planted.

Revision: NEXT_REVISION
Revises: HEAD_REVISION
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "NEXT_REVISION"
down_revision: str | tuple[str, ...] | None = "HEAD_REVISION"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None
{more}

def upgrade() -> None:
{upgrade}


def downgrade() -> None:
{downgrade}
'''

MODEL = '''"""The table of notes."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column

from sealy.db.base import Base, Key


class Note(Base):
    """A line about somebody."""

    __tablename__ = "notes"
    __table_args__ = ({arguments},)

    {key}
    {owner}
    body: Mapped[str]
    {column}
'''

TABLE = """CREATE TABLE notes (
    {key},
    {owner},
    body text NOT NULL{column}
)"""

Pair = tuple[str, str]
"""A line of the model, and the same in SQL."""

KEY = ("id: Mapped[Key]", "id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_notes PRIMARY KEY")
OWNER = (
    'owner_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))',
    "owner_id bigint NOT NULL CONSTRAINT fk_notes_owner_id_users REFERENCES users (id) ON DELETE CASCADE",
)
INDEX = ('sa.Index(None, "owner_id")', "CREATE INDEX ix_notes_owner_id ON notes (owner_id)")


def sql(*statements: str) -> str:
    """Return the statements as a revision runs them."""
    return "\n".join(f"op.execute({statement!r})" for statement in statements)


def alone(*statements: str) -> str:
    """Return the statements as a revision runs them outside a transaction."""
    return "with op.get_context().autocommit_block():\n" + indent(sql(*statements), "    ")


def revision(upgrade: str, downgrade: str, more: str = "") -> tuple[Edit, ...]:
    """Return the edits that add a revision after the head, and make it the app's head."""
    text = REVISION.replace("{upgrade}", indent(upgrade, "    ")).replace("{downgrade}", indent(downgrade, "    "))
    return (Edit(PLANTED, "", text.replace("{more}", more)), LISTED)


def model(text: str, name: str = "notes") -> tuple[Edit, ...]:
    """Return the edits that add a module of models and import it."""
    base = "from sealy.db.base import Base\n"
    return (
        Edit(f"src/sealy/db/{name}.py", "", text),
        Edit("src/sealy/db/__init__.py", base, f"{base}from sealy.db import {name} as {name}\n"),
    )


def notes(
    column: Pair = ("", ""), *after: str, key: Pair = KEY, owner: Pair = OWNER, index: Pair = INDEX, drop: str = ""
) -> tuple[Edit, ...]:
    """Return the edits that add the table notes, its model and revision; `drop` runs before the table is dropped."""
    made, ending = (
        TABLE.format(key=key[1], owner=owner[1], column=column[1] and f",\n    {column[1]}"),
        "DROP TABLE notes",
    )
    statements = [made, *filter(None, [index[1]]), *after]
    declared = MODEL.format(arguments=index[0], key=key[0], owner=owner[0], column=column[0])
    return (*model(declared.replace("(,)", "()")), *revision(sql(*statements), sql(*filter(None, [drop, ending]))))


def column(line: str) -> Edit:
    """Return the edit that adds a line to the model of todos."""
    return Edit(
        "src/sealy/db/todos.py",
        "    due_at: Mapped[datetime | None]\n",
        f"    due_at: Mapped[datetime | None]\n    {line}\n",
    )
