"""How sessions end with nox. On SIGTERM nox would end without stopping its children; on an interrupt it stops them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time


def wait_for_end(parent: int) -> None:
    """Stop this parallel session and its programs when nox, its parent, has been killed."""
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(0, signal.SIGTERM)


def end_with_nox() -> None:
    """Make SIGTERM an interrupt, and watch nox from a parallel session."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if "--parallel-worker" in sys.argv:
        threading.Thread(target=wait_for_end, args=(os.getppid(),), daemon=True).start()
