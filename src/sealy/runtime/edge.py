"""What is refused before a route is looked up: requests that do not come through the edge, and bodies too large."""

import hmac
import re

from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from sealy.runtime.problems import problem

OPEN = ("/health", "/metrics")  # without a key: platforms probe /health, and /metrics refuses requests through a proxy
_ADDRESS = re.compile(rb"[0-9a-fA-F.:]{2,45}")


class EdgeGuard:
    """ASGI middleware. With an edge key it serves only what carries it, WebSockets too, and trusts its X-Client-IP."""

    def __init__(self, app: ASGIApp, edge_key: SecretStr | None, largest_body: int) -> None:
        self.app, self.largest_body = app, largest_body
        self.edge_key = edge_key.get_secret_value().encode() if edge_key else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        refusal = None if scope["type"] == "lifespan" else self._refusal(scope, dict(scope["headers"]))
        await (refusal or self.app)(scope, receive, send)

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> ASGIApp | None:
        if self.edge_key is not None:
            if hmac.compare_digest(headers.get(b"x-edge-key", b""), self.edge_key):
                if _ADDRESS.fullmatch(address := headers.get(b"x-client-ip", b"")):
                    scope["client"] = (address.decode(), 0)
            elif scope["path"] not in OPEN:
                return problem(403, "requests must come through the edge")
        too_large = (length := headers.get(b"content-length", b"")).isdigit() and int(length) > self.largest_body
        return problem(413, f"the body must not exceed {self.largest_body} bytes") if too_large else None
