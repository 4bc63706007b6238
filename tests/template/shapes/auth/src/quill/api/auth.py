"""Who asks: an API key for the program that calls, and a token for each user."""

import hashlib
import hmac
from typing import Annotated, cast

from fastapi import Depends, HTTPException, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

_key = APIKeyHeader(name="X-API-Key", auto_error=False)
_token = HTTPBearer(auto_error=False)


def token_of(user_id: int, key: str) -> str:
    """Return the token of a user: the id with its signature."""
    return f"{user_id}.{hmac.new(key.encode(), str(user_id).encode(), hashlib.sha256).hexdigest()}"


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


async def _program(request: Request, given: Annotated[str | None, Depends(_key)]) -> str:
    key = cast("str", request.app.state.api_key)
    if not _same(given or "", key):
        raise HTTPException(401, "X-API-Key is missing or wrong")
    return key


ApiKey = Annotated[str, Depends(_program)]


async def _user(key: ApiKey, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_token)]) -> int:
    token = given.credentials if given else ""
    number = token.partition(".")[0]
    if not number.isdecimal() or not _same(token, token_of(int(number), key)):
        raise HTTPException(401, "the token is missing or wrong")
    return int(number)


UserId = Annotated[int, Depends(_user)]
