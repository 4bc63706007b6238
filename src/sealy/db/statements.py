"""Every statement that the app sends; each is built once, so that only its values change from request to request."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    JSON,
    BigInteger,
    ColumnElement,
    Delete,
    Label,
    Select,
    any_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, CITEXT, Insert
from sqlalchemy.dialects.postgresql import insert as upsert

from sealy.db.tags import Tag, TodoTag
from sealy.db.todos import Todo
from sealy.db.users import User
from sealy.db.views import TAGS_IN_USE

USER = (User.id, User.email, User.created_at)
TODO = (Todo.id, Todo.owner_id, Todo.title, Todo.done, Todo.due_at, Todo.created_at)
ID = bindparam("id", type_=BigInteger)
NAMES = bindparam("tags", type_=ARRAY(CITEXT))


def _names(name: Any) -> ColumnElement[Any]:
    """One JSON array of tag names in their order, instead of a row for each; empty when there is none."""
    names = func.json_agg(name, type_=JSON).aggregate_order_by(name)
    return func.coalesce(names, literal_column("'[]'::json", JSON))


TAGS: Label[Any] = (
    select(_names(Tag.name))
    .join(TodoTag, TodoTag.tag_id == Tag.id)
    .where(TodoTag.todo_id == Todo.id)
    .correlate(Todo)
    .scalar_subquery()
    .label("tags")
)

CREATE_USER = insert(User).returning(*USER)
READ_USER = select(*USER).where(User.id == ID)
READ_TODO = select(*TODO, TAGS).where(Todo.id == ID)
CHANGE_TODO = update(Todo).where(Todo.id == bindparam("todo_id")).returning(*TODO, TAGS)
DELETE_TODO = delete(Todo).where(Todo.id == ID)


@cache
def list_todos(*filters: str) -> Select[Any]:
    """Todos before the id `before`, the latest first; `filters` are names out of owner_id, done and tag."""
    tagged = select(TodoTag.todo_id).join(Tag, Tag.id == TodoTag.tag_id)
    tagged = tagged.where(Tag.name == bindparam("tag", type_=CITEXT))
    if "owner_id" in filters:
        tagged = tagged.where(Tag.owner_id == bindparam("owner_id"))
    conditions = {
        "owner_id": Todo.owner_id == bindparam("owner_id"),
        "done": Todo.done == bindparam("done"),
        "tag": Todo.id.in_(tagged),
    }
    chosen = [conditions[name] for name in filters]
    page = select(*TODO, TAGS).where(Todo.id < bindparam("before"), *chosen)
    return page.order_by(Todo.id.desc()).limit(bindparam("limit"))


@cache
def list_tags(*filters: str) -> Select[Any]:
    """Tags in use after `after_owner` and `after_name`, by owner and name; `filters` may hold owner_id."""
    columns = TAGS_IN_USE.c
    after = tuple_(bindparam("after_owner", type_=BigInteger), bindparam("after_name", type_=CITEXT))
    page = select(columns.owner_id, columns.name, columns.todos).where(tuple_(columns.owner_id, columns.name) > after)
    if "owner_id" in filters:
        page = page.where(columns.owner_id == bindparam("owner_id"))
    return page.order_by(columns.owner_id, columns.name).limit(bindparam("limit"))


def _make_tags(owner_id: ColumnElement[Any], todo: CTE | None = None) -> Insert:
    """Insert the tags that the owner lacks, in order of name, so that two requests never wait for each other in turn.

    It needs a statement of its own: only the next one is sure to see the tags that another request has just made.
    """
    given = func.unnest(NAMES).table_valued("name", name="given").render_derived()
    names = select(owner_id, given.c.name).distinct().order_by(given.c.name)
    if todo is not None:
        names = names.join_from(todo, given, true())
    return upsert(Tag).from_select(["owner_id", "name"], names).on_conflict_do_nothing()


def _set_tags(todo: CTE, *, replace: bool) -> Select[Any]:
    """Put the tags named `tags` on the todo, take others off when they are to be replaced, and select it all."""
    wanted = select(Tag.id, Tag.name).join(todo, todo.c.owner_id == Tag.owner_id).where(Tag.name == any_(NAMES))
    wanted_tags = wanted.cte("wanted")
    pairs = select(todo.c.id, wanted_tags.c.id).join_from(todo, wanted_tags, true())
    changes: list[CTE] = [
        upsert(TodoTag).from_select(["todo_id", "tag_id"], pairs).on_conflict_do_nothing().cte("linked")
    ]
    if replace:
        changes.append(_take_off_others(wanted_tags).cte("unlinked"))
    names = select(_names(wanted_tags.c.name)).scalar_subquery().label("tags")
    return select(*(todo.c[column.key] for column in TODO), names).add_cte(*changes)


def _take_off_others(wanted: CTE) -> Delete:
    return delete(TodoTag).where(TodoTag.todo_id == ID, TodoTag.tag_id.not_in(select(wanted.c.id)))


MAKE_TAGS = _make_tags(bindparam("owner_id", type_=BigInteger))
CREATE_TODO = _set_tags(
    insert(Todo)
    .values(owner_id=bindparam("owner_id"), title=bindparam("title"), due_at=bindparam("due_at"))
    .returning(*TODO)
    .cte("todo"),
    replace=False,
)

# The lock makes two replacements of one todo's tags follow each other: the later one's tags are what stays.
_locked = select(Todo.id, Todo.owner_id).where(Todo.id == ID).with_for_update(key_share=True).cte("todo")
LOCK_TODO_AND_MAKE_TAGS = select(_locked.c.id).add_cte(_make_tags(_locked.c.owner_id, _locked).cte("made"))
REPLACE_TAGS = _set_tags(select(*TODO).where(Todo.id == ID).cte("todo"), replace=True)
