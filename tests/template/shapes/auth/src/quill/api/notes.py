"""/v1/notes: each user sees only their own."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query

from quill.api.auth import UserId, api_key
from quill.api.deps import Reads, Route, Writes
from quill.db.notes import COMMENT, CREATE_NOTE, DELETE_NOTE, READ_NOTE, list_notes
from quill.runtime.problems import problems
from quill.schemas.notes import CommentOut, NewComment, NewNote, NoteOut, NotePage
from quill.schemas.types import LARGEST_ID, Id

router = APIRouter(prefix="/v1/notes", tags=["notes"], route_class=Route, dependencies=[Depends(api_key)])

Limit = Annotated[int, Query(ge=1, le=100)]
Before = Annotated[int, Query(ge=1, le=LARGEST_ID + 1)]
Archived = Annotated[bool | None, Query(examples=[False])]


@router.post("", status_code=201, summary="Create a note", responses=problems(401, 409, 415, 422, 503))
def create_note(note: NewNote, user: UserId, writes: Writes) -> NoteOut:
    """It belongs to the user of the token."""
    with writes.begin() as connection:
        row = connection.execute(CREATE_NOTE, {"user_id": user, **note.model_dump()}).one()
    return NoteOut.model_validate({**row._mapping, "comments": 0})


@router.get("", summary="List notes", responses=problems(401, 422, 503))
def read_notes(
    user: UserId, reads: Reads, archived: Archived = None, limit: Limit = 50, before: Before = LARGEST_ID + 1
) -> NotePage:
    """Newest first; `before` is the `next` of the previous page."""
    filters = {} if archived is None else {"archived": archived}
    with reads.connect() as connection:
        values = {**filters, "user_id": user, "before": before, "limit": limit + 1}
        rows = connection.execute(list_notes(*filters), values).mappings().all()
    items = [dict(row) for row in rows[:limit]]
    return NotePage.model_validate({"items": items, "next": items[-1]["id"] if len(rows) > limit else None})


@router.get("/{note_id}", summary="Read a note", responses=problems(401, 404, 422, 503))
def read_note(note_id: Id, user: UserId, reads: Reads) -> NoteOut:
    """404 if it is another user's."""
    with reads.connect() as connection:
        row = connection.execute(READ_NOTE, {"id": note_id, "user_id": user}).one_or_none()
    if row is None:
        raise HTTPException(404, f"note {note_id} does not exist")
    return NoteOut.model_validate(row)


@router.delete("/{note_id}", status_code=204, summary="Delete a note", responses=problems(401, 404, 422, 503))
def delete_note(note_id: Id, user: UserId, writes: Writes) -> None:
    """Deletes its comments too."""
    with writes.begin() as connection:
        deleted = connection.execute(DELETE_NOTE, {"id": note_id, "user_id": user}).rowcount
    if not deleted:
        raise HTTPException(404, f"note {note_id} does not exist")


@router.post(
    "/{note_id}/comments",
    status_code=201,
    summary="Comment on a note",
    responses=problems(401, 404, 409, 415, 422, 503),
)
def comment(note_id: Id, body: NewComment, user: UserId, writes: Writes) -> CommentOut:
    """404 if the note is another user's."""
    with writes.begin() as connection:
        row = connection.execute(COMMENT, {"note_id": note_id, "user_id": user, "body": body.body}).one_or_none()
    if row is None:
        raise HTTPException(404, f"note {note_id} does not exist")
    return CommentOut.model_validate(row)
