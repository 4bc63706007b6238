"""/v1/todos."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Row

from sealy.api.deps import Reads, Route, Writes
from sealy.db import statements
from sealy.runtime.problems import problems
from sealy.schemas.pages import TODO_POSITION, Page, decode, encode
from sealy.schemas.todos import NewTodo, TodoChange, TodoFilter, TodoOut, TodoTags
from sealy.schemas.types import LARGEST_ID, Id

router = APIRouter(prefix="/v1/todos", tags=["todos"], route_class=Route)


def _found(row: Row[Any] | None, todo_id: int) -> TodoOut:
    if row is None:
        raise HTTPException(404, f"todo {todo_id} does not exist")
    return TodoOut.model_validate(row)


@router.post("", status_code=201, summary="Create a todo", responses=problems(409, 415, 422, 503))
def create_todo(todo: NewTodo, writes: Writes, response: Response) -> TodoOut:
    """Creates the tags that its owner does not have yet. 409 if the owner does not exist."""
    with writes.begin() as connection:
        row = connection.execute(statements.CREATE_TODO, todo.model_dump()).one()
        if todo.tags:
            row = connection.execute(statements.SET_TAGS, {"id": row.id, "tags": todo.tags}).one()
    response.headers["Location"] = f"/v1/todos/{row.id}"
    return TodoOut.model_validate(row)


@router.get("", summary="List todos", responses=problems(422, 503))
def list_todos(chosen: Annotated[TodoFilter, Query()], reads: Reads) -> Page[TodoOut]:
    """Newest first. Todos created while you paginate never appear on later pages."""
    filters = chosen.model_dump(include={"owner_id", "done", "tag"}, exclude_none=True)
    (before,) = decode(chosen.cursor, TODO_POSITION) if chosen.cursor else (LARGEST_ID + 1,)
    page = {"before": before, "limit": chosen.limit + 1}
    with reads.connect() as connection:
        rows = connection.execute(statements.list_todos(*filters), {**filters, **page}).mappings().all()
    items = [dict(row) for row in rows[: chosen.limit]]
    following = encode(items[-1]["id"]) if len(rows) > chosen.limit else None
    return Page[TodoOut].model_validate({"items": items, "next": following})


@router.get("/{todo_id}", summary="Read a todo", responses=problems(404, 422, 503))
def read_todo(todo_id: Id, reads: Reads) -> TodoOut:
    """One todo with its tags."""
    with reads.connect() as connection:
        row = connection.execute(statements.READ_TODO, {"id": todo_id}).one_or_none()
    return _found(row, todo_id)


@router.patch("/{todo_id}", summary="Change a todo", responses=problems(404, 415, 422, 503))
def change_todo(todo_id: Id, change: TodoChange, writes: Writes) -> TodoOut:
    """Writes only the named fields: two clients that change different fields both succeed."""
    values = change.model_dump(exclude_unset=True)
    if not values:
        raise RequestValidationError([{"loc": ("body",), "msg": "name at least one field to change"}])
    with writes.begin() as connection:
        row = connection.execute(statements.CHANGE_TODO, {**values, "todo_id": todo_id}).one_or_none()
    return _found(row, todo_id)


@router.delete("/{todo_id}", status_code=204, summary="Delete a todo", responses=problems(404, 422, 503))
def delete_todo(todo_id: Id, writes: Writes) -> None:
    """Its owner keeps the tags."""
    with writes.begin() as connection:
        deleted = connection.execute(statements.DELETE_TODO, {"id": todo_id}).rowcount
    if not deleted:
        raise HTTPException(404, f"todo {todo_id} does not exist")


@router.put("/{todo_id}/tags", summary="Replace a todo's tags", responses=problems(404, 415, 422, 503))
def replace_tags(todo_id: Id, body: TodoTags, writes: Writes) -> TodoOut:
    """Two concurrent replacements never mix: the tags of the later one remain."""
    values = {"id": todo_id, "tags": body.tags}
    with writes.begin() as connection:
        connection.execute(statements.LOCK_TODO, values)
        row = connection.execute(statements.SET_TAGS, values).one_or_none()
    return _found(row, todo_id)
