"""The tables of teams, tasks and the log, and their statements."""

from functools import cache
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, bindparam, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from quill.db.base import Base, CreatedAt, Key


class Team(Base):
    """Who works together."""

    __tablename__ = "teams"
    __table_args__ = (CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name_length"),)

    id: Mapped[Key]
    name: Mapped[str]
    created_at: Mapped[CreatedAt]


class Task(Base):
    """A task of one team. Each index serves the list, in its order."""

    __tablename__ = "tasks"
    __table_args__ = (
        CheckConstraint("char_length(title) BETWEEN 1 AND 200", name="title_length"),
        CheckConstraint("state IN ('open', 'done')", name="state"),
        Index(None, "team_id", "id"),
        Index(None, "team_id", "state", "id"),
    )

    id: Mapped[Key]
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"))
    title: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="open")
    created_at: Mapped[CreatedAt]


class Line(Base):
    """What has happened."""

    __tablename__ = "log"
    __table_args__ = (CheckConstraint("char_length(line) BETWEEN 1 AND 500", name="line_length"),)

    id: Mapped[Key]
    line: Mapped[str]
    created_at: Mapped[CreatedAt]


TASK: tuple[Any, ...] = (Task.id, Task.title, Task.state)
CREATE_TEAM = insert(Team).values(name=bindparam("name")).returning(Team.id, Team.name)
READ_TEAM = select(Team.id, Team.name).where(Team.id == bindparam("team_id"))
LIST_TEAMS = select(Team.id, Team.name).where(Team.id < bindparam("before")).order_by(Team.id.desc()).limit(20)
CREATE_TASK = insert(Task).values(team_id=bindparam("team_id"), title=bindparam("title")).returning(*TASK)
READ_TASK = select(*TASK).where(Task.id == bindparam("id"))
NEWEST_TASK = select(func.max(Task.id)).where(Task.team_id == bindparam("team_id"))
NEWEST_TEAM = select(func.max(Team.id))
LOG = insert(Line).values(line=bindparam("line"))


@cache
def list_tasks(*filters: str) -> Select[Any]:
    """Return one team's tasks before the id `before`, newest first; `filters` may hold state."""
    where = [Task.team_id == bindparam("team_id"), Task.id < bindparam("before")]
    where += [Task.state == bindparam("state")] if "state" in filters else []
    return select(*TASK).where(*where).order_by(Task.id.desc()).limit(bindparam("limit"))
