"""What schemathesis sends its requests with: an adapter of `requests` that reads answers within bounds."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from harness.api.bodies import bounded

EVENTS = "text/event-stream"


class BoundedAdapter(HTTPAdapter):
    """Reads the first part of an event stream, which may have no end, and `parts` of any other answer, or all of it."""

    def __init__(self, parts: int | None = None) -> None:
        super().__init__()
        self._parts = parts

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send a request, and read its answer.

        Raises:
            HarnessError: when the body does not end.
        """
        answer = super().send(request, *args, **options)
        most = 1 if EVENTS in answer.headers.get("Content-Type", "") else self._parts
        route = f"{request.method} {urlsplit(str(request.url)).path}"
        answer._content = b"".join(bounded(answer.iter_content(65536), route, most))
        answer.close()
        return answer
