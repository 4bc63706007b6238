"""Child processes end with their supervisor, even when it is killed."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.supervisor import Supervisor

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
PARENT = """
import subprocess
import sys
from tools.supervisor import Supervisor

with Supervisor() as supervisor:
    sleeper = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
    child = supervisor.start("sleeper", sleeper, stdout=subprocess.PIPE)
    child.process.stdout.readline()  # a Python that is only starting may lose an interrupt
    print(child.process.pid, flush=True)
    child.process.wait()
"""


def gone(pid: int) -> bool:
    """Whether the process ends."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
        if not shown.stdout.strip() or shown.stdout.startswith("Z"):  # a zombie waits for its new parent only
            return True
    return False


def test_children_are_stopped_on_exit() -> None:
    """No child outlives the context, even when an exception leaves it."""
    with contextlib.suppress(KeyboardInterrupt), Supervisor() as supervisor:
        child = supervisor.start("sleeper", SLEEPER)
        raise KeyboardInterrupt
    assert child.exit_code is not None


def test_a_child_that_exits_by_itself_is_reported() -> None:
    """`exited` returns the child, with its exit code."""
    with Supervisor() as supervisor:
        supervisor.start("sleeper", SLEEPER)
        assert supervisor.exited() is None
        brief = supervisor.start("brief", [sys.executable, "-c", "raise SystemExit(3)"])
        brief.process.wait()
        assert supervisor.exited() == brief
        assert brief.exit_code == 3


@pytest.mark.parametrize("before", ["", "trap '' INT; "], ids=["in front", "in the background of a script"])
def test_children_end_when_their_supervisor_is_killed(before: str) -> None:
    """After kill -9 of the supervisor's process, the watchdog stops the child."""
    root = Path(__file__).resolve().parents[2]
    command = ["sh", "-c", f'{before}exec "$0" -c "$1"', sys.executable, PARENT]
    parent = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(pid)
