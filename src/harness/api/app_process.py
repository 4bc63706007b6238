"""The app as a process, started as a platform starts it: for what a thread cannot show."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from tempfile import TemporaryFile
from typing import IO, Self

from harness.api.application import uvicorn_arguments
from harness.config import Config
from harness.errors import HarnessError

BY_HAND = "run it by hand to see more: python -m uvicorn MODULE:APP, or --factory MODULE:FACTORY"

STARTS_WITHIN = 30.0
"""Seconds until the line that names the port."""


class AppProcess:
    """A context manager: uvicorn with the project's app on a free port.

    With `access_log` uvicorn logs each request, for an app that does not.
    """

    def __init__(self, config: Config, database_url: str, *, access_log: bool = False) -> None:
        self._config = config
        self._access_log = "--access-log" if access_log else "--no-access-log"
        self._environment = {
            **config.environment,
            **os.environ,
            config.database_env: database_url,
            "PYTHONPATH": os.pathsep.join(path for path in (str(config.root / "src"), *sys.path) if path),
        }
        self._output: IO[bytes]
        self._process: subprocess.Popen[bytes]
        self.base_url = ""

    def __enter__(self) -> Self:
        self._output = TemporaryFile()
        app = uvicorn_arguments(self._config)
        command = [sys.executable, "-m", "uvicorn", *app, "--port", "0", self._access_log]
        self._process = subprocess.Popen(
            command, cwd=self._config.root, env=self._environment, stderr=self._output, stdout=self._output
        )
        self.base_url = self._wait_for_port()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._output.close()

    @property
    def output(self) -> str:
        """All that the process has written."""
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), size, 0).decode(errors="replace")  # leaves the process's offset alone

    @property
    def cpu_seconds(self) -> float:
        """CPU time that the process has used, in seconds, to the nanosecond.

        The clock's number is that of `clock_getcpuclockid(3)` on Linux, which Python does not offer.
        """
        return time.clock_gettime((~self._process.pid << 3) | 2)

    def terminate(self) -> None:
        """Send SIGTERM, as a platform does."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout: float) -> int:
        """Wait for the end, and return the exit code.

        Raises:
            subprocess.TimeoutExpired: after `timeout` seconds.
        """
        return self._process.wait(timeout)

    def wrote(self, pattern: str, timeout: float = STARTS_WITHIN) -> re.Match[str] | None:
        """Wait for output that `pattern` finds, and return the match; None if the process ends or `timeout` passes."""
        deadline = time.monotonic() + timeout
        while True:
            ended = self._process.poll() is not None
            if found := re.search(pattern, self.output):
                return found
            if ended or time.monotonic() > deadline:
                return None
            time.sleep(0.01)

    def _wait_for_port(self) -> str:
        found = self.wrote(r"running on (http://[\d.]+:\d+)")
        if found is None:
            output = self.output
            self.__exit__()
            raise HarnessError(
                f"{self._config.app} did not start as a process", looked_at=f"its output:\n{output}", remedy=BY_HAND
            )
        return found[1]
