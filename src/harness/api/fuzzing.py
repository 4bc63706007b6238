"""What schemathesis sends its requests with: a session of `requests` whose answers are read within bounds."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from harness.api.bodies import bounded

EVENTS = "text/event-stream"


class BoundedAdapter(HTTPAdapter):
    """Reads the first part of an event stream, which may have no end, and any other answer to its end."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send a request, and read its answer.

        Raises:
            HarnessError: when the body does not end.
        """
        answer = super().send(request, *args, **options)
        most = 1 if EVENTS in answer.headers.get("Content-Type", "") else None
        route = f"{request.method} {urlsplit(str(request.url)).path}"
        answer._content = b"".join(bounded(answer.iter_content(65536), route, most))
        answer.close()
        return answer


def bounded_session() -> requests.Session:
    """Return a session that reads no settings of the environment."""
    made = requests.Session()
    made.trust_env = False
    made.mount("http://", BoundedAdapter())
    return made
