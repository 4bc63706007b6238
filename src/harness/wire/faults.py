"""What can go wrong between an app and its database, to be planted at a statement of one's choice."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from threading import Condition
from typing import Literal

FaultKind = Literal["lose request", "reset", "lose answer", "stall"]
"""What happens to the statement that a fault waits for, and to all that its client sends with it.

- `lose request`: the connection breaks before the server sees the statement.
- `reset`: the connection breaks as soon as the server has it; the server finds out when it answers.
- `lose answer`: the server carries it out, and the connection breaks instead of its answer.
- `stall`: neither the statement nor anything after it on this connection moves until the fault is lifted.
"""


@dataclass(slots=True, eq=False)
class Fault:
    """One harm, done to the first `times` statements that `pattern` is found in (case does not count)."""

    pattern: re.Pattern[str]
    harm: FaultKind
    times: int = 1
    met: list[str] = field(default_factory=list)
    """The statements it was done to."""

    _change: Condition = field(default_factory=Condition, repr=False)

    def strikes(self, statement: str) -> bool:
        """Whether the fault is for this statement; counts it when it is."""
        if len(self.met) >= self.times or not self.pattern.search(statement):
            return False
        with self._change:
            self.met.append(statement)
            self._change.notify_all()
        return True

    def reached(self, count: int = 1, timeout: float = 10.0) -> bool:
        """Wait until it was done to `count` statements; whether that came true within `timeout` seconds."""
        with self._change:
            return self._change.wait_for(lambda: len(self.met) >= count, timeout)
