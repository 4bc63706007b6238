"""The HTTP transport of an API test: it records each request on the wire and judges it."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter

import httpx

from harness.api.bodies import STREAMED, Body
from harness.api.exchange import Exchange, Limits, listing
from harness.api.in_flight import InFlight, Work
from harness.api.rules import judge
from harness.errors import HarnessError
from harness.findings import Finding, Verdict
from harness.sql.normalise import normalise
from harness.wire.observer import Observer
from harness.wire.recording import Recording

READY = "/ready"
"""The path that a platform asks before it sends requests."""

LONGEST_WORK = 10.0
"""Seconds after its answer in which a request's work must end."""

LEAVING = 1.0
"""Seconds in which an app usually notices that the client has left."""

STILL = "the app still works on the request {:g} s after its answer; no transaction is open"


@dataclass(slots=True)
class SentStatement:
    """A statement that the app sent: one of its texts as sent, its parameter types (oids), and the routes it served."""

    text: str
    types: tuple[int, ...]
    routes: set[str] = field(default_factory=set)


StatementsSent = dict[str, SentStatement]
"""Each query that succeeded in a run so far, by its normalised text."""


@dataclass(eq=False)
class _Turn:
    """A request from its start until app and wire are at rest; `alone` is False if another one overlapped it."""

    request: httpx.Request
    recording: Recording
    begun: float
    alone: bool = True
    work: Work | None = None

    @property
    def route(self) -> str:
        """The method and the path template; the path itself if no route answers."""
        return f"{self.request.method} {(self.work and self.work.route) or self.request.url.path}"

    def exchange(self, answer: httpx.Response, seconds: float, unsettled: str, working: str) -> Exchange:
        """Return what the request did."""
        work = self.work or Work({})
        return Exchange(
            self.route,
            self.recording,
            seconds,
            None if self.request.extensions.get(STREAMED) else items(answer),
            work.answered,
            work.ended,
            tuple(work.parts),
            tuple(work.tasks.items()),
            unsettled,
            working,
        )


class JudgingTransport(httpx.HTTPTransport):
    """Sends requests and, when app and wire are at rest, calls `verdict` with the findings of each.

    `last` is the last request's exchange, `most` the largest number of queries of a request that was judged, and
    `unjudged` the number of those that were not: requests that overlap each other or an open socket, since their
    statements cannot be separated, and requests after the test has disturbed the connections by a fault. `inflight` is
    the wrapper of the app.
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
        self.inflight = inflight
        self._sent = sent
        self.verdict = verdict
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._turns: set[_Turn] = set()
        self._warm = False
        self._preparing = False

    def warm_up(self, base_url: httpx.URL) -> None:
        """Request `READY` once, as a platform does first; the answer does not matter."""
        if self._warm:
            return
        self._warm = True
        with self._turn(httpx.Request("GET", base_url.join(READY))) as turn:
            answer, body = self._send(turn)
            answer.read()
            self._rest(turn, whole=body.whole)

    @contextlib.contextmanager
    def limited(self, limits: Limits) -> Iterator[None]:
        """Judge requests in the block by `limits`, and count from zero: a test of several that share the app."""
        before, self._limits = self._limits, limits
        self.last, self.most, self.unjudged = None, 0, 0
        try:
            yield
        finally:
            self._limits = before

    @contextlib.contextmanager
    def preparing(self) -> Iterator[None]:
        """Only note the statements of requests in the block: they prepare a test, and do not become `last`."""
        last, self._preparing = self.last, True
        try:
            yield
        finally:
            self.last, self._preparing = last, False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, read its answer, and judge it; an answer that the test streams is judged when it is closed.

        Raises:
            BrokenPromiseError: when it breaks a rule.
            HarnessError: when its body does not end.
        """
        with contextlib.ExitStack() as held:
            turn = held.enter_context(self._turn(request))
            answer, body = self._send(turn)
            if request.extensions.get(STREAMED):
                body.closed = partial(self._end, held.pop_all(), turn, answer, body)
                return answer
            with contextlib.closing(body):
                answer.read()
            self._end(held.pop_all(), turn, answer, body)
        return answer

    @contextlib.contextmanager
    def _turn(self, request: httpx.Request) -> Iterator[_Turn]:
        with self.wire.recording() as recording:
            turn = _Turn(request, recording, perf_counter())
            with self._lock:
                for other in self._turns:
                    turn.alone = other.alone = False
                self._turns.add(turn)
            try:
                yield turn
            except HarnessError:
                if turn.work:
                    turn.work.leave()
                    turn.work.finished.wait(LEAVING)
                raise
            finally:
                with self._lock:
                    self._turns.discard(turn)

    def _send(self, turn: _Turn) -> tuple[httpx.Response, Body]:
        self.inflight.last = None
        answer = super().handle_request(turn.request)
        turn.work = self.inflight.last
        assert isinstance(answer.stream, httpx.SyncByteStream)
        body = answer.stream = Body(answer.stream, turn.request, turn.route)
        return answer, body

    def _end(self, held: contextlib.ExitStack, turn: _Turn, answer: httpx.Response, body: Body) -> None:
        """Wait for the end of a request's work, and judge it if nothing else was going on."""
        with held:
            seconds = perf_counter() - turn.begun
            if turn.work and not body.whole:
                turn.work.leave()
            unsettled, working = self._rest(turn, whole=body.whole) if turn.alone else ("", "")
            exchange = self.last = turn.exchange(answer, seconds, unsettled, working)
        if self._preparing:
            self._note(exchange)
        elif turn.alone and (turn.work is None or turn.work.alone):
            self._judge(exchange)
        else:
            self.unjudged += 1

    def _rest(self, turn: _Turn, *, whole: bool) -> tuple[str, str]:
        """Wait until app and wire are at rest; return what is not: transactions that are open, and other work.

        An app may go on with a body that is not read to its end: an open socket is no work.
        """
        working = ""
        if turn.work and not turn.work.finished.wait(LONGEST_WORK if whole else LEAVING):
            turn.work.left = True
            working = STILL.format(LONGEST_WORK) if whole else ""
        if turn.work and not turn.work.alone:
            return "", working
        try:
            self.wire.settle()
        except TimeoutError as error:
            return (str(error), "") if self.wire.in_transaction else ("", str(error))
        return "", working

    def _judge(self, exchange: Exchange) -> None:
        self._note(exchange)
        if self.wire.disturbed:
            self.unjudged += 1
            return
        self.most = max(self.most, exchange.queries)
        verdict, listed = self.verdict(judge(exchange, self._limits)), listing(exchange.answering)
        shown = any(listed in finding.message for finding in verdict.failing)
        verdict.enforce("" if shown else f"on the wire:\n{listing(exchange.recording.trips)}")

    def _note(self, exchange: Exchange) -> None:
        """Add the queries of a request that succeeded to the statements sent."""
        for statement in exchange.recording.queries:
            if not statement.sqlstate:
                made = SentStatement(statement.query, statement.types)
                self._sent.setdefault(normalise(statement.query), made).routes.add(exchange.route)


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
