"""Who asks: an API key for the program that calls, and a token for each user."""

import hashlib
import hmac
from typing import Annotated, cast

from fastapi import Depends, HTTPException, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from quill.api.deps import Reads
from quill.db.users import USER_OF_TOKEN

_key = APIKeyHeader(name="X-API-Key", auto_error=False)
_token = HTTPBearer(auto_error=False)


def digest(token: str) -> bytes:
    """Return what is stored of a token. Tokens are long and random, so they need no salt."""
    return hashlib.sha256(token.encode()).digest()


async def api_key(request: Request, given: Annotated[str | None, Depends(_key)]) -> None:
    """Answer 401 to a program without the key."""
    key = cast("str", request.app.state.api_key)
    if not hmac.compare_digest((given or "").encode(), key.encode()):
        raise HTTPException(401, "X-API-Key is missing or wrong")


def _user(reads: Reads, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_token)]) -> int:
    user: int | None = None
    if given:
        with reads.connect() as connection:
            user = connection.scalar(USER_OF_TOKEN, {"digest": digest(given.credentials)})
    if user is None:
        raise HTTPException(401, "the token is missing or wrong")
    return user


UserId = Annotated[int, Depends(_user)]
