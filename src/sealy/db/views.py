"""What is counted ahead: materialized views, which show the rows as they were at their last refresh."""

from __future__ import annotations

from sqlalchemy import Index, event, func, select
from sqlalchemy.schema import CreateIndex, CreateView

from sealy.db.base import Base
from sealy.db.tags import Tag, TodoTag

_counted = select(Tag.owner_id, Tag.name, func.count().label("todos"))
_counted = _counted.join(TodoTag, TodoTag.tag_id == Tag.id).group_by(Tag.owner_id, Tag.name)
_create = CreateView(_counted, "tags_in_use", materialized=True)

TAGS_IN_USE = _create.table
"""Each owner's tags that are on a todo: owner_id, name, and the number of todos. It stands in a metadata of its own,
because create_all() and autogenerate would take it for a table."""

# REFRESH … CONCURRENTLY needs a unique index over all rows; it serves one owner's list in order of name too.
_index = Index("ix_tags_in_use_owner_id_name", TAGS_IN_USE.c.owner_id, TAGS_IN_USE.c.name, unique=True)

event.listen(Base.metadata, "after_create", _create)
event.listen(Base.metadata, "after_create", CreateIndex(_index))
