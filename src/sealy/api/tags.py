"""/v1/tags."""

from typing import Annotated

from fastapi import APIRouter, Query

from sealy.api.deps import Reads, Route
from sealy.db import statements
from sealy.runtime.problems import problems
from sealy.schemas.pages import TAG_POSITION, Filter, Page, decode, encode
from sealy.schemas.tags import TagOut

router = APIRouter(prefix="/v1/tags", tags=["tags"], route_class=Route)


@router.get("", summary="List tags in use", responses=problems(422, 503))
def list_tags(chosen: Annotated[Filter, Query()], reads: Reads) -> Page[TagOut]:
    """Each owner's tags that are on a todo, by owner and name, as of the last refresh."""
    filters = chosen.model_dump(include={"owner_id"}, exclude_none=True)
    owner, name = decode(chosen.cursor, TAG_POSITION) if chosen.cursor else (0, "")
    page = {"after_owner": owner, "after_name": name, "limit": chosen.limit + 1}
    with reads.connect() as connection:
        rows = connection.execute(statements.list_tags(*filters), {**filters, **page}).mappings().all()
    items = [dict(row) for row in rows[: chosen.limit]]
    following = encode(items[-1]["owner_id"], items[-1]["name"]) if len(rows) > chosen.limit else None
    return Page[TagOut].model_validate({"items": items, "next": following})
