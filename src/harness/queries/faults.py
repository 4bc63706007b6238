"""What can go wrong between an app and its database, to be planted at a statement of one's choice."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from threading import Event
from typing import Literal

Harm = Literal["lose request", "reset", "lose answer", "stall"]
"""What happens to the statement that a fault waits for.

- `lose request`: the connection breaks before the server sees the statement.
- `reset`: the connection breaks as soon as the server has it; the server finds out when it answers.
- `lose answer`: the server carries it out, and the connection breaks instead of its answer.
- `stall`: neither the statement nor anything after it on this connection moves until the fault is lifted.
"""


@dataclass(slots=True, eq=False)
class Fault:
    """One harm, done to the first `times` statements that `pattern` is found in (case does not count)."""

    pattern: re.Pattern[str]
    harm: Harm
    times: int = 1
    met: list[str] = field(default_factory=list)
    """The statements it was done to."""

    struck: Event = field(default_factory=Event)
    """Set when it was done for the first time, for a test that has to wait for that moment."""

    def strikes(self, statement: str) -> bool:
        """Whether the fault is for this statement; counts it when it is."""
        if len(self.met) >= self.times or not self.pattern.search(statement):
            return False
        self.met.append(statement)
        self.struck.set()
        return True
