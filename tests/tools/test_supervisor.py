"""Children end with their keeper, however that ends."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.supervisor import Keeper

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
PARENT = """
import subprocess
import sys
from tools.supervisor import Keeper

with Keeper() as keeper:
    sleeper = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
    child = keeper.start("sleeper", sleeper, stdout=subprocess.PIPE)
    child.process.stdout.readline()  # a Python that is only starting may lose an interrupt
    print(child.process.pid, flush=True)
    child.process.wait()
"""


def gone(pid: int) -> bool:
    """Whether the process ends within ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
        if not shown.stdout.strip() or shown.stdout.startswith("Z"):  # a zombie waits for its new parent only
            return True
    return False


def test_children_are_ended_on_the_way_out() -> None:
    """Leaving the context, by an exception too, leaves no child."""
    with contextlib.suppress(KeyboardInterrupt), Keeper() as keeper:
        child = keeper.start("sleeper", SLEEPER)
        raise KeyboardInterrupt
    assert child.code is not None


def test_a_child_that_ended_by_itself_is_reported() -> None:
    """`ended` gives the child that is gone, with its exit code."""
    with Keeper() as keeper:
        keeper.start("sleeper", SLEEPER)
        assert keeper.ended() is None
        brief = keeper.start("brief", [sys.executable, "-c", "raise SystemExit(3)"])
        brief.process.wait()
        assert keeper.ended() == brief
        assert brief.code == 3


@pytest.mark.parametrize("before", ["", "trap '' INT; "], ids=["in front", "in the background of a script"])
def test_children_end_after_a_kill_of_their_keeper(before: str) -> None:
    """After kill -9 of the process that holds the keeper, its watchdog ends the child."""
    root = Path(__file__).resolve().parents[2]
    command = ["sh", "-c", f'{before}exec "$0" -c "$1"', sys.executable, PARENT]
    parent = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(pid)
