"""Databases held ready: a thread brings back what tests return and copies ahead, while the next test runs.

The thread is a convenience. Whatever happens to it, the test's own thread makes the copies itself.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import traceback
from collections import deque
from dataclasses import dataclass, field

from harness.postgres.copies import Copier, Copy, Template

AHEAD = 2
"""Databases held ready beside the one that a test has."""

PATIENCE = 20.0
"""Seconds to wait for the thread before doing its work here."""

BACKLOG = 8
"""Databases to be dropped that may wait until the thread has nothing better to do."""

IDLE = 0.02
"""Seconds without work after which the thread drops one of them."""

USUAL = sys.getswitchinterval()
SWITCH = 0.0005
"""Seconds after which a busy test lets the thread go on; Python's own 5 ms would stretch its few steps to 50 ms."""


@dataclass(slots=True)
class Pool:
    """The ready databases of each template. `here` works in the test's thread, `there` in the background."""

    here: Copier
    there: Copier
    failure: str = ""
    """The traceback of a thread that ended before its time."""
    _ready: list[Copy] = field(default_factory=list)
    _returned: deque[Copy] = field(default_factory=deque)
    _ordered: deque[Template] = field(default_factory=deque)
    _dropped: deque[Copy] = field(default_factory=deque)
    _wanted: dict[str, int] = field(default_factory=dict)
    _at_work_on: Template | None = None
    _closing: bool = False
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None

    def take(self, template: Template, *, unused: bool = False) -> Copy:
        """A database that is as its template is; with `unused` one that no test had before."""
        with self._turn:
            self._wanted[template.name] = min(self._wanted.get(template.name, 0) + 1, AHEAD)
            copy = self._find(template, unused=unused)
            while copy is None and self._coming(template) and self._turn.wait(PATIENCE):
                copy = self._find(template, unused=unused)
        taken = copy or self.here.clone(template)
        with self._turn:
            self._order(template)
        return taken

    def give(self, copy: Copy) -> None:
        """Take a database back from a test."""
        with self._turn:
            if self._alive():
                self._returned.append(copy)
                self._turn.notify_all()
                return
        self.here.drop(copy)

    def close(self) -> None:
        """End the thread after what it is doing."""
        with self._turn:
            self._closing = True
            self._turn.notify_all()
        if self._thread:
            self._thread.join(PATIENCE)
        for copy in self._ready:
            if copy.session:
                copy.session.close()

    def _find(self, template: Template, *, unused: bool) -> Copy | None:
        for copy in self._ready:
            if copy.template is template and not (unused and copy.used):
                self._ready.remove(copy)
                return copy
        return None

    def _coming(self, template: Template) -> bool:
        """Whether the thread will have a database of this template without being asked again."""
        work = [self._at_work_on, *self._ordered, *(copy.template for copy in self._returned)]
        return self._alive() and any(each is template for each in work)

    def _order(self, template: Template) -> None:
        """Ask for as many copies as are missing."""
        held = [self._at_work_on, *self._ordered, *(copy.template for copy in (*self._returned, *self._ready))]
        missing = self._wanted[template.name] - sum(each is template for each in held)
        if missing > 0 and self._started():
            self._ordered.extend([template] * missing)
            self._turn.notify_all()

    def _started(self) -> bool:
        if self._thread is None and not self._closing:
            self._thread = threading.Thread(target=self._run, name="fresh-databases", daemon=True)
            self._thread.start()
        return self._alive()

    def _alive(self) -> bool:
        return self._thread is not None and not self.failure and not self._closing

    def _run(self) -> None:
        """The thread. Nothing leaves it: an exception in a thread would fail whatever test runs at the time."""
        try:
            with contextlib.closing(self.there.administrator):
                while self._work():
                    pass
        except BaseException:
            self.failure = "" if self._closing else traceback.format_exc()
        with self._turn:
            self._at_work_on = None
            self._turn.notify_all()

    def _work(self) -> bool:
        """Do one thing: bring back, else copy ahead, else drop; False when the run is over."""
        returned = ordered = None
        with self._turn:
            while not (self._returned or self._ordered or self._closing or len(self._dropped) > BACKLOG):
                if not self._turn.wait(IDLE if self._dropped else None):
                    break
            if self._closing:
                return False
            if len(self._dropped) <= BACKLOG and self._returned:
                returned = self._returned.popleft()
            elif len(self._dropped) <= BACKLOG and self._ordered:
                ordered = self._ordered.popleft()
            self._at_work_on = returned.template if returned else ordered
        sys.setswitchinterval(SWITCH)
        try:
            self._serve(returned, ordered)
        finally:
            sys.setswitchinterval(USUAL)
        return True

    def _serve(self, returned: Copy | None, ordered: Template | None) -> None:
        made = None
        if returned:
            made = self.there.reuse(returned)
            if made is None:
                self._dropped.append(returned)
                ordered = returned.template
        if ordered and made is None:
            made = self.there.clone(ordered, ahead=True)
        if made is None:
            self.there.drop(self._dropped.popleft())
            return
        if made.template.expects:
            made = self.there.greet(made)
        with self._turn:
            self._ready.append(made)
            self._at_work_on = None
            self._turn.notify_all()
