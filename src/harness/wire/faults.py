"""Faults between an app and its database, done to statements that a test chooses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from threading import Condition
from typing import Literal

FaultKind = Literal["lose request", "reset", "lose answer", "stall"]
"""What a fault does to a statement, and to all that its client sends with it.

- `lose request`: the connection breaks before the server sees the statement.
- `reset`: the connection breaks as soon as the server has it; the server finds out when it answers.
- `lose answer`: the server carries it out, and the connection breaks instead of its answer.
- `stall`: the statement, and all that follows it on this connection, waits until the fault is lifted.
"""


@dataclass(slots=True, eq=False)
class Fault:
    """A fault, done to the first `times` statements in which `pattern` is found, case-insensitively."""

    pattern: re.Pattern[str]
    kind: FaultKind
    times: int = 1
    met: list[str] = field(default_factory=list)
    """The statements that it was done to."""

    _change: Condition = field(default_factory=Condition, repr=False)

    def applies(self, statement: str) -> bool:
        """Return whether the fault is for this statement, and count the statement if it is."""
        if len(self.met) >= self.times or not self.pattern.search(statement):
            return False
        with self._change:
            self.met.append(statement)
            self._change.notify_all()
        return True

    def reached(self, count: int = 1, timeout: float = 10.0) -> bool:
        """Wait until it was done to `count` statements; return False if it was not within `timeout` seconds."""
        with self._change:
            return self._change.wait_for(lambda: len(self.met) >= count, timeout)
