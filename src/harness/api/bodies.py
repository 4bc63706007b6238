"""The body of an answer: read to its end, as far as a request wants, or as long as a test streams it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import cast

import httpx

from harness.errors import HarnessError

STREAMED = "harness_streamed"
"""The extension of a request whose answer the test reads itself: `api.stream(…)`."""

PARTS = "parts"
"""The extension of a request that hangs up after so many parts of the body: for one that does not end."""

LONGEST = 10.0
"""Seconds in which a body must end."""

LARGEST = 64 * 2**20
"""Bytes that a body may have."""


class Body(httpx.SyncByteStream):
    """Passes on the parts of a body, within bounds unless the test streams it.

    `whole` becomes True at its end; `closed` is called once when it is closed.
    """

    def __init__(self, inner: httpx.SyncByteStream, request: httpx.Request, route: str) -> None:
        self._inner = inner
        self._streamed = bool(request.extensions.get(STREAMED))
        self._most = cast("int | None", request.extensions.get(PARTS))
        self._route = route
        self.whole = False
        self.closed: Callable[[], None] | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._all() if self._streamed else bounded(self._all(), self._route, self._most)
        except httpx.ReadTimeout as error:
            raise endless(self._route, "no further part") from error

    def _all(self) -> Iterator[bytes]:
        yield from self._inner
        self.whole = True

    def close(self) -> None:
        """Close the connection, unless the body was read to its end."""
        self._inner.close()
        closed, self.closed = self.closed, None
        if closed is not None:
            closed()


def bounded(parts: Iterable[bytes], route: str, most: int | None = None) -> Iterator[bytes]:
    """Yield the parts of a body, at most `most` if that is given.

    Raises:
        HarnessError: when the body has not ended after `LONGEST` seconds or `LARGEST` bytes.
    """
    deadline, size = perf_counter() + LONGEST, 0
    for number, part in enumerate(parts, 1):
        yield part
        size += len(part)
        if number == most:
            return
        if size > LARGEST or perf_counter() > deadline:
            raise endless(route, f"{number} parts and {size:,} bytes")


def endless(route: str, seen: str) -> HarnessError:
    """Return the error for a body that does not end, of which this was seen."""
    method, _, path = route.partition(" ")
    example = f'api.build_request({method!r}, {path!r}, extensions={{"{PARTS}": 1}})'
    return HarnessError(
        f"{route}: the body of its answer did not end within {LONGEST:g} s and {LARGEST // 2**20} MiB",
        looked_at=seen,
        remedy=(
            "let it end, if nobody expects more",
            f"in a test, read the parts that it needs: with api.stream({method!r}, {path!r}) as answer: …",
            f"in tests/api/examples.py, hang up after the first part: {example}",
        ),
    )
