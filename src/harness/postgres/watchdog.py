"""A watchdog: a shell that cleans up behind this process, however it ends."""

from __future__ import annotations

import contextlib
import subprocess

WAIT = """
trap '' INT TERM HUP QUIT
lines=
while read -r line; do
  [ "$line" = done ] && exit 0
  lines="$line $lines"
done
exec 2>/dev/null
"""


class Watchdog:
    """Runs the shell script `cleanup` when this process has ended: only this process holds the pipe that it reads.

    In the script `arguments` are $1, $2 …, and $lines holds what was sent, the last line first.
    """

    def __init__(self, cleanup: str, *arguments: str) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", WAIT + cleanup, "pg-harness-watchdog", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def send(self, line: str) -> None:
        """Add a line to what the script is given."""
        if self._shell.stdin:
            self._shell.stdin.write(f"{line}\n".encode())
            self._shell.stdin.flush()

    def close(self, *, clean: bool) -> None:
        """End the watchdog, after it has run its script if `clean`."""
        with contextlib.suppress(BrokenPipeError):
            self._shell.communicate(b"" if clean else b"done\n")

    @property
    def running(self) -> bool:
        """Whether the shell has not ended."""
        return self._shell.poll() is None
