"""Every statement that the app sends; each is built once, so that only its values change from request to request."""

from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Select, Text, bindparam, cast, delete, func, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import CITEXT

from sealy.db.tags import TAGS_IN_USE, Tag, TodoTag
from sealy.db.todos import Todo
from sealy.db.users import User

USER = (User.id, User.email, User.created_at)
CREATE_USER = insert(User).returning(*USER)
READ_USER = select(*USER).where(User.id == bindparam("id"))

NAMES = select(cast(Tag.name, Text)).join(TodoTag, TodoTag.tag_id == Tag.id).where(TodoTag.todo_id == Todo.id)
TAGS = func.array(NAMES.order_by(Tag.name).correlate(Todo).scalar_subquery()).label("tags")
TODO = (Todo.id, Todo.owner_id, Todo.title, Todo.done, Todo.due_at, Todo.created_at, TAGS)
READ_TODO = select(*TODO).where(Todo.id == bindparam("id"))
CHANGE_TODO = update(Todo).where(Todo.id == bindparam("todo_id")).returning(*TODO)
DELETE_TODO = delete(Todo).where(Todo.id == bindparam("id"))


@cache
def list_todos(*filters: str) -> Select[Any]:
    """Return the todos before the id `before`, newest first; `filters` are names out of owner_id, done and tag."""
    owner: Any = bindparam("owner_id")
    tagged = select(TodoTag.todo_id).join(Tag, Tag.id == TodoTag.tag_id)
    tagged = tagged.where(Tag.name == bindparam("tag", type_=CITEXT))
    if "owner_id" in filters:
        tagged = tagged.where(Tag.owner_id == owner)
    where = {"owner_id": Todo.owner_id == owner, "done": Todo.done == bindparam("done"), "tag": Todo.id.in_(tagged)}
    page = select(*TODO).where(Todo.id < bindparam("before"), *(where[name] for name in filters))
    return page.order_by(Todo.id.desc()).limit(bindparam("limit"))


@cache
def list_tags(*filters: str) -> Select[Any]:
    """Return the tags in use after `after_owner` and `after_name`, by owner and name; `filters` may hold owner_id."""
    tags = TAGS_IN_USE.c
    after = tuple_(bindparam("after_owner", type_=BigInteger), bindparam("after_name", type_=CITEXT))
    page = select(tags.owner_id, tags.name, tags.todos).where(tuple_(tags.owner_id, tags.name) > after)
    if "owner_id" in filters:
        page = page.where(tags.owner_id == bindparam("owner_id", type_=BigInteger))
    return page.order_by(tags.owner_id, tags.name).limit(bindparam("limit"))


# A write that names tags is two statements: the first inserts those that the owner lacks, and only the second is sure
# to see the ones that another request inserts meanwhile. In order of name, so that no two requests deadlock.
CREATE_TODO = text("""
    WITH todo AS (
        INSERT INTO todos (owner_id, title, due_at) VALUES (:owner_id, :title, :due_at)
        RETURNING id, owner_id, title, done, due_at, created_at
    ), created AS (
        INSERT INTO tags (owner_id, name)
        SELECT todo.owner_id, given.name FROM todo CROSS JOIN unnest(CAST(:tags AS citext[])) AS given (name)
        ORDER BY given.name ON CONFLICT DO NOTHING
    )
    SELECT todo.*, CAST('{}' AS text[]) AS tags FROM todo
""")

# Of two requests that replace one todo's tags, the second waits here for the first.
LOCK_TODO = text("""
    WITH todo AS (
        SELECT id, owner_id FROM todos WHERE id = :id FOR NO KEY UPDATE
    ), created AS (
        INSERT INTO tags (owner_id, name)
        SELECT todo.owner_id, given.name FROM todo CROSS JOIN unnest(CAST(:tags AS citext[])) AS given (name)
        ORDER BY given.name ON CONFLICT DO NOTHING
    )
    SELECT id FROM todo
""")

SET_TAGS = text("""
    WITH todo AS (
        SELECT id, owner_id, title, done, due_at, created_at FROM todos WHERE id = :id
    ), wanted AS (
        SELECT tags.id, tags.name FROM tags JOIN todo ON todo.owner_id = tags.owner_id
        WHERE tags.name = ANY (CAST(:tags AS citext[]))
    ), linked AS (
        INSERT INTO todo_tags (todo_id, tag_id) SELECT todo.id, wanted.id FROM todo CROSS JOIN wanted
        ON CONFLICT DO NOTHING
    ), unlinked AS (
        DELETE FROM todo_tags WHERE todo_id = :id AND tag_id NOT IN (SELECT wanted.id FROM wanted)
    )
    SELECT todo.*, ARRAY(SELECT CAST(wanted.name AS text) FROM wanted ORDER BY wanted.name) AS tags FROM todo
""")
