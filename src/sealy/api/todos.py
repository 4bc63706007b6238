"""/v1/todos."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Row

from sealy.api.deps import Reads, Writes, dictionaries
from sealy.api.problems import Route, problems
from sealy.db import statements
from sealy.schemas.cursor import Position
from sealy.schemas.todos import NewTodo, TodoChange, TodoFilter, TodoOut, TodoPage, TodoTags
from sealy.schemas.types import LARGEST_ID

router = APIRouter(prefix="/v1/todos", tags=["todos"], route_class=Route)

TodoId = Annotated[int, Path(ge=1, le=LARGEST_ID, examples=[1])]


def _found(row: Row[Any] | None, todo_id: int) -> TodoOut:
    if row is None:
        raise HTTPException(404, f"there is no todo {todo_id}")
    return TodoOut.model_validate(row)


@router.post("", status_code=201, summary="Create a todo", responses=problems(409, 415, 422, 503))
def create_todo(todo: NewTodo, writes: Writes, response: Response) -> TodoOut:
    """Tags that its owner does not have yet are made with it. 409 when there is no such owner."""
    with writes.begin() as connection:
        if todo.tags:
            connection.execute(statements.MAKE_TAGS, {"owner_id": todo.owner_id, "tags": todo.tags})
        row = connection.execute(statements.CREATE_TODO, todo.model_dump()).one()
    response.headers["Location"] = f"/v1/todos/{row.id}"
    return TodoOut.model_validate(row)


@router.get("", summary="List todos", responses=problems(422, 503))
def list_todos(chosen: Annotated[TodoFilter, Query()], reads: Reads) -> TodoPage:
    """The latest first. What is created while someone turns pages comes before the first page, never in between."""
    filters = chosen.model_dump(include={"owner_id", "done", "tag"}, exclude_none=True)
    page = {"before": Position.decode(chosen.cursor).before, "limit": chosen.limit + 1}
    with reads.connect() as connection:
        rows = connection.execute(statements.list_todos(*filters), {**filters, **page}).all()
    items = rows[: chosen.limit]
    following = Position(before=items[-1].id).encode() if len(rows) > chosen.limit else None
    return TodoPage.model_validate({"items": dictionaries(items), "next": following})


@router.get("/{todo_id}", summary="Read a todo", responses=problems(404, 422, 503))
def read_todo(todo_id: TodoId, reads: Reads) -> TodoOut:
    """One todo with its tags."""
    with reads.connect() as connection:
        row = connection.execute(statements.READ_TODO, {"id": todo_id}).one_or_none()
    return _found(row, todo_id)


@router.patch("/{todo_id}", summary="Change a todo", responses=problems(404, 415, 422, 503))
def change_todo(todo_id: TodoId, change: TodoChange, writes: Writes) -> TodoOut:
    """Only the named fields are written, so two clients that change different ones both succeed."""
    values = change.model_dump(exclude_unset=True)
    if not values:
        raise RequestValidationError([{"loc": ("body",), "msg": "name at least one field to change"}])
    with writes.begin() as connection:
        row = connection.execute(statements.CHANGE_TODO, {**values, "todo_id": todo_id}).one_or_none()
    return _found(row, todo_id)


@router.delete("/{todo_id}", status_code=204, summary="Delete a todo", responses=problems(404, 422, 503))
def delete_todo(todo_id: TodoId, writes: Writes) -> None:
    """Its tags stay with their owner."""
    with writes.begin() as connection:
        deleted = connection.execute(statements.DELETE_TODO, {"id": todo_id}).rowcount
    if not deleted:
        raise HTTPException(404, f"there is no todo {todo_id}")


@router.put("/{todo_id}/tags", summary="Replace a todo's tags", responses=problems(404, 415, 422, 503))
def replace_tags(todo_id: TodoId, body: TodoTags, writes: Writes) -> TodoOut:
    """Of two replacements at once the later one stays, whole."""
    values = {"id": todo_id, "tags": body.tags}
    row = None
    with writes.begin() as connection:
        if connection.scalar(statements.LOCK_TODO_AND_MAKE_TAGS, values) is not None:
            row = connection.execute(statements.REPLACE_TAGS, values).one()
    return _found(row, todo_id)
