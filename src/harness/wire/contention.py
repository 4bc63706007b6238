"""How long the threads of this process waited for a processor that others were using."""

from __future__ import annotations

import contextlib
from pathlib import Path

THREADS = Path("/proc/self/task")
"""A directory for each thread; the file `schedstat` in it counts its waits (Linux, scheduler/sched-stats)."""


def waited() -> float:
    """Return the seconds for which all threads of this process have waited; 0 where the system does not count them."""
    total = 0
    with contextlib.suppress(OSError):
        for thread in THREADS.iterdir():
            with contextlib.suppress(OSError, ValueError):  # a thread that has just ended
                total += int((thread / "schedstat").read_bytes().split()[1])
    return total / 1e9
