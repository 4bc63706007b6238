"""Child processes that end with this one, however it ends.

A shell that ignores the terminal's signals reads the children's ids from a pipe that only this process holds open. When
the pipe closes before it was told that all is done, it ends them, the last one first.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

WATCHDOG = """
trap '' INT TERM HUP QUIT
pids=
while read -r pid; do
  [ "$pid" = done ] && exit 0
  pids="$pid $pids"
done
for pid in $pids; do kill -INT "$pid"; done
"""

PATIENCE = 15.0
"""Seconds that a child has to end by itself, longer than the slowest statement that the app's role may run."""


@dataclass(frozen=True, slots=True)
class Child:
    """A child process and what to call it."""

    name: str
    process: subprocess.Popen[bytes]

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self.process.poll()

    def end(self) -> None:
        """Interrupt it and wait; kill it and its own children when it does not listen."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Keeper:
    """A context that starts children and ends them, the last one first."""

    def __enter__(self) -> Self:
        """Start the watchdog. A shell's background job ignores interrupts, and its children would too: not here."""
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._children: list[Child] = []
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", WATCHDOG],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        return self

    def start(self, name: str, command: Sequence[str], **options: Any) -> Child:
        """Start a child in a session of its own, so that a Ctrl-C reaches it only from here, in order."""
        child = Child(name, subprocess.Popen(command, start_new_session=True, **options))
        self._children.append(child)
        self._tell(str(child.process.pid))
        return child

    def ended(self) -> Child | None:
        """The first child that has ended by itself, if any."""
        return next((child for child in self._children if child.code is not None), None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the children, and dismiss the watchdog."""
        for child in reversed(self._children):
            child.end()
        self._tell("done")
        self._watchdog.communicate()

    def _tell(self, word: str) -> None:
        if self._watchdog.stdin:
            self._watchdog.stdin.write(f"{word}\n".encode())
            self._watchdog.stdin.flush()
