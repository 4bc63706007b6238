"""Databases held ready: two threads reset what tests return, and clone ahead, while the next test runs.

The threads only save time. If one fails, both stop, and the test's own thread makes the clones.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import traceback
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.databases.clones import Clone, Cloner, Template

AHEAD = 2
"""Databases held ready, besides the one that a test has."""

PATIENCE = 20.0
"""Seconds to wait for the threads before the test's own thread does their work."""

BACKLOG = 8
"""Databases to be dropped that may wait until a thread is idle."""

IDLE = 0.02
"""Seconds without work after which a thread is idle, and drops one of them."""

USUAL = sys.getswitchinterval()
SWITCH = 0.0005
"""Seconds after which a busy test lets a thread go on; with Python's default of 5 ms its few steps would take 50 ms."""


@dataclass(slots=True)
class Pool:
    """The databases held ready. `foreground` works in the test's thread, the other two in the background.

    `resetter` resets databases; `cloner` clones and drops, as `resetter` does when nothing has come back.
    """

    foreground: Cloner
    resetter: Cloner
    cloner: Cloner
    failure: str = ""
    """The traceback of a thread that crashed."""
    _ready: list[Clone] = field(default_factory=list)
    _returned: deque[Clone] = field(default_factory=deque)
    _ordered: deque[Template] = field(default_factory=deque)
    _dropped: deque[Clone] = field(default_factory=deque)
    _wanted: dict[str, int] = field(default_factory=dict)
    _coming: list[Template] = field(default_factory=list)
    """The templates of what is being cloned or reset at present."""
    _busy: int = 0
    _closing: bool = False
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _threads: list[threading.Thread] = field(default_factory=list)

    def acquire(self, template: Template, *, unused: bool = False) -> Clone:
        """Return a database that is as its template is; with `unused` one that no test had before."""
        with self._turn:
            self._wanted[template.name] = min(self._wanted.get(template.name, 0) + 1, AHEAD)
            clone = self._find(template, unused=unused)
            while clone is None and self._comes(template) and self._turn.wait(PATIENCE):
                clone = self._find(template, unused=unused)
        taken = clone or self.foreground.clone(template)
        with self._turn:
            self._order(template)
        return taken

    def release(self, clone: Clone) -> None:
        """Take a database back from a test, and undo at once what it did to objects that all databases share."""
        if self.foreground.restore_shared_objects(clone):
            return
        with self._turn:
            if self._alive():
                self._returned.append(clone)
                self._turn.notify_all()
                return
        self.foreground.drop(clone)

    def close(self) -> None:
        """End the threads once they have finished what they are doing."""
        with self._turn:
            self._closing = True
            self._turn.notify_all()
        for thread in self._threads:
            thread.join(PATIENCE)
        for clone in self._ready:
            if clone.session:
                clone.session.close()

    def _find(self, template: Template, *, unused: bool) -> Clone | None:
        for clone in self._ready:
            if clone.template is template and not (unused and clone.used):
                self._ready.remove(clone)
                return clone
        return None

    def _comes(self, template: Template) -> bool:
        """Return whether a thread will have a database of this template without a further order."""
        work = [*self._coming, *self._ordered, *(clone.template for clone in self._returned)]
        return self._alive() and any(each is template for each in work)

    def _order(self, template: Template) -> None:
        """Order as many clones as are missing."""
        held = [*self._coming, *self._ordered, *(clone.template for clone in (*self._returned, *self._ready))]
        missing = self._wanted[template.name] - sum(each is template for each in held)
        if missing > 0 and self._started():
            self._ordered.extend([template] * missing)
            self._turn.notify_all()

    def _started(self) -> bool:
        if not self._threads and not self._closing:
            for cloner in (self.resetter, self.cloner):
                thread = threading.Thread(target=self._run, args=[cloner], name="fresh-databases", daemon=True)
                self._threads.append(thread)
                thread.start()
        return self._alive()

    def _alive(self) -> bool:
        return bool(self._threads) and not self.failure and not self._closing

    def _run(self, cloner: Cloner) -> None:
        """Work until the end. No exception leaves the thread: it would fail the test that runs at the time."""
        try:
            with contextlib.closing(cloner.administrator):
                while self._work(cloner):
                    pass
        except BaseException:
            self.failure = "" if self._closing else traceback.format_exc()
        with self._turn:
            self._turn.notify_all()

    def _work(self, cloner: Cloner) -> bool:
        """Do one thing: reset, else clone ahead, else drop; return False when the run or the other thread has ended."""
        returned = ordered = dropped = None
        with self._turn:
            while self._alive() and not self._urgent(cloner) and self._turn.wait(IDLE if self._dropped else None):
                pass
            if not self._alive():
                return False
            if self._dropped and (len(self._dropped) > BACKLOG or not self._urgent(cloner)):
                dropped = self._dropped.popleft()
            elif self._returned and cloner is self.resetter:
                returned = self._returned.popleft()
                self._coming.append(returned.template)
            elif self._ordered:
                ordered = self._ordered.popleft()
                self._coming.append(ordered)
        with self._hurry():
            if dropped:
                cloner.drop(dropped)
            elif returned:
                self._add(cloner, returned.template, cloner.reset(returned), instead_of=returned)
            elif ordered:
                self._add(cloner, ordered, cloner.clone(ordered, ahead=True))
        return True

    def _urgent(self, cloner: Cloner) -> bool:
        """Return whether a test may be waiting for this cloner, or too many databases wait to be dropped."""
        return bool((self._returned and cloner is self.resetter) or self._ordered or len(self._dropped) > BACKLOG)

    def _add(self, cloner: Cloner, template: Template, made: Clone | None, instead_of: Clone | None = None) -> None:
        """Hold a database ready; where the one that came back could not be reset, order a clone `instead_of` it."""
        if made and template.opens_sessions:
            made = cloner.open_session(made)
        with self._turn:
            self._coming.remove(template)
            if made:
                self._ready.append(made)
            elif instead_of:
                self._dropped.append(instead_of)
                self._ordered.append(template)
            self._turn.notify_all()

    @contextlib.contextmanager
    def _hurry(self) -> Iterator[None]:
        """Let the threads go on more often than Python would while one of them is at work."""
        with self._turn:
            self._busy += 1
            sys.setswitchinterval(SWITCH)
        try:
            yield
        finally:
            with self._turn:
                self._busy -= 1
                if not self._busy:
                    sys.setswitchinterval(USUAL)
