"""The HTTP transport of an API test: it records each request on the wire and judges it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import httpx

from harness.api.exchange import Exchange, Limits
from harness.api.in_flight import InFlight
from harness.api.rules import judge
from harness.findings import Finding, Verdict
from harness.sql.normalise import normalise
from harness.wire.observer import Observer

READY = "/ready"
"""The path that a platform asks before it sends requests."""


class BrokenPromiseError(AssertionError):
    """A request broke a rule; raised where the test made the request."""


@dataclass(slots=True)
class SentStatement:
    """A statement that the app sent: one of its texts as sent, its parameter types (oids), and the routes it served."""

    text: str
    types: tuple[int, ...]
    routes: set[str] = field(default_factory=set)


StatementsSent = dict[str, SentStatement]
"""Each query that succeeded in a run so far, by its normalised text."""


class JudgingTransport(httpx.HTTPTransport):
    """Sends requests and, when app and wire are at rest, calls `verdict` with the findings of each.

    `last` is the last request's exchange, `most` the largest number of queries of a request that was judged, and
    `unjudged` the number of those that were not: requests that overlap, since their statements cannot be separated,
    and requests after the test has disturbed the connections by a fault.
    """

    def __init__(
        self,
        wire: Observer,
        inflight: InFlight,
        sent: StatementsSent,
        verdict: Callable[[Sequence[Finding]], Verdict],
        limits: Limits | None = None,
    ) -> None:
        super().__init__(verify=False)
        self.wire = wire
        self.last: Exchange | None = None
        self.most = 0
        self.unjudged = 0
        self._inflight = inflight
        self._sent = sent
        self.verdict = verdict
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._open = 0
        self._overlaps = False

    def warm_up(self, base_url: httpx.URL) -> None:
        """Request `READY`, as a platform does first; the answer does not matter."""
        super().handle_request(httpx.Request("GET", base_url.join(READY))).read()
        self._rest()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, read its answer, and judge it.

        Raises:
            BrokenPromiseError: when it breaks a rule.
        """
        with self._lock:
            self._open += 1
            self._overlaps = self._overlaps or self._open > 1
        try:
            response, exchange = self._exchange(request)
        finally:
            with self._lock:
                self._open -= 1
                overlapped, self._overlaps = self._overlaps, self._overlaps and self._open > 0
        if overlapped:
            self.unjudged += 1
        else:
            self._judge(exchange)
        return response

    def _exchange(self, request: httpx.Request) -> tuple[httpx.Response, Exchange]:
        with self.wire.recording() as recording:
            begun = perf_counter()
            response = super().handle_request(request)
            response.read()
            seconds = perf_counter() - begun
            unsettled = "" if self._overlaps else self._rest()
        route = f"{request.method} {self._inflight.route or request.url.path}"
        answered = self._inflight.answered
        self.last = Exchange(route, recording, seconds, items(response), answered, unsettled)
        return response, self.last

    def _rest(self) -> str:
        """Wait until app and wire are at rest; return what is not, for a finding."""
        if not self._inflight.wait():
            return "the app still works on the request 10 s after the answer"
        try:
            self.wire.settle()
        except TimeoutError as error:
            return str(error)
        return ""

    def _judge(self, exchange: Exchange) -> None:
        self._note(exchange)
        if self.wire.disturbed:
            self.unjudged += 1
            return
        self.most = max(self.most, exchange.queries)
        verdict = self.verdict(judge(exchange, self._limits))
        if not verdict.clean:
            raise BrokenPromiseError(f"\n{verdict}")

    def _note(self, exchange: Exchange) -> None:
        """Add the queries of a request that succeeded to the statements sent."""
        for statement in exchange.recording.statements:
            if statement.kind == "query" and not statement.sqlstate:
                made = SentStatement(statement.text, statement.types)
                self._sent.setdefault(normalise(statement.text), made).routes.add(exchange.route)


def items(response: httpx.Response) -> int | None:
    """Return how many items a JSON answer lists: those of its array, or of the longest array in its objects.

    Objects are searched at any depth, the items of an array are not. None without an array, or for another type.
    """
    try:
        ahead = [json.loads(response.content)]
    except ValueError:
        return None
    lengths = []
    while ahead:
        match ahead.pop():
            case dict() as inner:
                ahead += inner.values()
            case list() as found:
                lengths.append(len(found))
    return max(lengths, default=None)
