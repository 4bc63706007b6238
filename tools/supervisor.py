"""Child processes that end with this process, even when it is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from harness.postgres.watchdog import Watchdog

INTERRUPT = 'for pid in $lines; do kill -INT "$pid"; done'
"""Sent to the children's process ids, last one first."""

STOP_TIMEOUT = 15.0
"""Seconds between the interrupt and the kill: longer than the slowest statement that the app's role may run."""


@dataclass(frozen=True, slots=True)
class Child:
    """A child process, with a name for messages."""

    name: str
    process: subprocess.Popen[bytes]

    @property
    def exit_code(self) -> int | None:
        """The exit code; None while the process runs."""
        return self.process.poll()

    def stop(self) -> None:
        """Interrupt the process and wait for it; kill its process group after `STOP_TIMEOUT`."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Supervisor:
    """A context that starts children, and on exit stops them, last one first."""

    def __enter__(self) -> Self:
        """Start the watchdog, and let interrupts reach the children: a shell's background job ignores them."""
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._children: list[Child] = []
        self._watchdog = Watchdog(INTERRUPT)
        return self

    def start(self, name: str, command: Sequence[str], **options: Any) -> Child:
        """Start a child in its own session, so that Ctrl-C reaches it only through `stop`; options are Popen's."""
        child = Child(name, subprocess.Popen(command, start_new_session=True, **options))
        self._children.append(child)
        self._watchdog.send(str(child.process.pid))
        return child

    def exited(self) -> Child | None:
        """Return the first child that has exited by itself, if any."""
        return next((child for child in self._children if child.exit_code is not None), None)

    def __exit__(self, *_: object) -> None:
        """Stop the children, then the watchdog."""
        for child in reversed(self._children):
            child.stop()
        self._watchdog.close(clean=False)
