"""Faults in which models and migrations disagree."""

from __future__ import annotations

from tools.proof.blocks import DRIFT, column, model, revision, sql
from tools.proof.change import Change, Edit

TODOS = "src/sealy/db/todos.py"


def drifted(name: str, done: str, *edits: Edit) -> Change:
    """Return a fault that the comparison of models and migrations finds."""
    return Change(name, done, edits, DRIFT, "schema-drift")


NICK = "nick: Mapped[str | None]"
NICK_SQL = revision(sql("ALTER TABLE todos ADD COLUMN nick text"), sql("ALTER TABLE todos DROP COLUMN nick"))
UNSEEN = '''"""Notes."""

from __future__ import annotations

from sqlalchemy.orm import Mapped

from sealy.db.base import Base, Key


class Note(Base):
    """A line."""

    __tablename__ = "notes"

    id: Mapped[Key]
'''
METADATA = "from sqlalchemy import MetaData\n\nmetadata = MetaData()"
HISTORY = "tests/migrations/test_history.py"

FAULTS = (
    drifted("model-without-migration", "a column in the model and no migration", column(NICK)),
    drifted("migration-without-model", "a column in a migration and not in the model", *NICK_SQL),
    drifted(
        "not-null-dropped",
        "NOT NULL removed from the model alone",
        Edit(TODOS, "title: Mapped[str]\n", "title: Mapped[str | None]\n"),
    ),
    drifted(
        "check-edited",
        "a CHECK changed in the model alone, which autogenerate does not see",
        Edit(TODOS, "BETWEEN 1 AND 500", "BETWEEN 1 AND 900"),
    ),
    drifted(
        "default-edited",
        "a default inverted in the model alone",
        Edit(TODOS, "server_default=false()", 'server_default="true"'),
    ),
    drifted(
        "citext-as-text",
        "a citext column declared as text",
        Edit("src/sealy/db/users.py", "mapped_column(CITEXT, unique=True)", "mapped_column(unique=True)"),
    ),
    drifted(
        "on-delete-forgotten",
        "ON DELETE CASCADE removed from the model alone",
        Edit(TODOS, 'ForeignKey("users.id", ondelete="CASCADE")', 'ForeignKey("users.id")'),
    ),
    drifted(
        "index-forgotten",
        "an index removed from the model alone",
        Edit(TODOS, '        Index(None, "done", "id"),\n', ""),
    ),
    Change(
        "autogenerate-without-models",
        "an env.py whose target_metadata is not the project's",
        (Edit("migrations/env.py", "from sealy.db import metadata", METADATA),),
        (f"{HISTORY}::test_autogenerate_sees_every_model_and_has_nothing_to_write",),
        "model-drift",
    ),
    Change(
        "model-nobody-imports",
        "a model in a module that nothing imports",
        model(UNSEEN)[:1],
        (f"{HISTORY}::test_autogenerate_sees_every_model_and_has_nothing_to_write",),
        "model-drift",
    ),
)
