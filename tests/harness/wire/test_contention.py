"""It is known for how long the threads of this process wait for a processor."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from harness.wire.observer import Observer

SHARED = """
import os, time
from harness.wire.contention import waited
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
parent, end = os.fork(), time.monotonic() + 0.5
before = waited()
while time.monotonic() < end:
    pass
print(waited() - before) if parent else os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts the waits of threads")
def test_two_processes_on_one_processor_wait_for_each_other() -> None:
    """Of half a second on a shared processor each process waits for a good part."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", SHARED], capture_output=True, text=True, check=True, env=environment)
    assert float(done.stdout) > 0.1


def test_a_recording_has_the_waits_of_its_time(wire: Observer) -> None:
    """The observer looks several times a second while a recording is open."""
    with wire.recording() as recording:
        time.sleep(0.5)
    moments = [moment for moment, _ in recording.waits]
    assert len(moments) >= 2
    assert recording.waited(moments[0], moments[-1]) == recording.waits[-1][1] - recording.waits[0][1]
