"""/v1/tags."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from sealy.api.deps import Reads, dictionaries
from sealy.api.problems import Route, problems
from sealy.db import statements
from sealy.schemas.cursor import TagPosition
from sealy.schemas.tags import TagFilter, TagPage

router = APIRouter(prefix="/v1/tags", tags=["tags"], route_class=Route)


@router.get("", summary="List tags in use", responses=problems(422, 503))
def list_tags(chosen: Annotated[TagFilter, Query()], reads: Reads) -> TagPage:
    """Each owner's tags that are on a todo, by owner and name, as of the last count."""
    filters = chosen.model_dump(include={"owner_id"}, exclude_none=True)
    after = TagPosition.decode(chosen.cursor)
    page = {"after_owner": after.owner_id, "after_name": after.name, "limit": chosen.limit + 1}
    with reads.connect() as connection:
        rows = connection.execute(statements.list_tags(*filters), {**filters, **page}).all()
    items = rows[: chosen.limit]
    last = items[-1] if len(rows) > chosen.limit else None
    following = TagPosition(owner_id=last.owner_id, name=last.name).encode() if last else None
    return TagPage.model_validate({"items": dictionaries(items), "next": following})
