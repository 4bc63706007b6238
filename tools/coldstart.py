"""What a cold start costs: CPU from the spawn of a process to its first 200, beside a bare FastAPI hello.

Both are started by the same command, in turns, and the least of each counts: what else the machine does only adds. The
app's database is away, so that its server's speed plays no part.
"""

from __future__ import annotations

import argparse
import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from harness.config import load_config
from harness.errors import HarnessError
from tools.cli import error_exit, whole_number

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 9
MOST = 2.2
"""Times the CPU of hello: 1.85, and what a busy machine adds. The libraries alone make it 1.6 (docs/operating.md)."""

NOWHERE = "postgresql://nobody@/nowhere?host=/nowhere"
WITHIN = 60.0
"""Seconds for the first answer."""

Cost = tuple[float, float]
"""CPU and wall seconds."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def answers(port: int) -> bool:
    """Whether /health says 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def cpu_seconds(process: int) -> float:
    """CPU time of a process, user and system together; its clock's number is made as clock_getcpuclockid(3) does."""
    return time.clock_gettime((~process << 3) | 2)


def start(factory: str) -> Cost:
    """Start the app, and what it cost until it answered.

    Raises:
        HarnessError: when it ends, or does not answer in time.
    """
    config = load_config(ROOT)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", factory, "--port", str(port), "--no-access-log"]
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    # Where the environment keeps Python from writing .pyc files, each start would compile all that it imports.
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "", config.database_env: NOWHERE}
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not answers(port):
            if process.poll() is not None or time.perf_counter() - begun > WITHIN:
                raise HarnessError(f"{factory} did not answer; see what it says: {' '.join(command)}")
            time.sleep(0.01)
        return cpu_seconds(process.pid), time.perf_counter() - begun
    finally:
        process.kill()
        process.wait()


def measure(rounds: int) -> dict[str, list[Cost]]:
    """What each of the two cost, `rounds` times in turn."""
    factories = {"hello": "tools.bare_app:create_app", "app": load_config(ROOT).app}
    costs: dict[str, list[Cost]] = {name: [] for name in factories}
    for turn in range(rounds + 1):
        for name, factory in factories.items():
            cost = start(factory)
            if turn:  # the first turn writes the .pyc files
                costs[name].append(cost)
    return costs


def main() -> None:
    """Measure, print what was found, and fail when the app takes more than it may."""
    parser = argparse.ArgumentParser(prog="coldstart", description=__doc__)
    parser.add_argument("--rounds", type=whole_number(1, 1000), default=ROUNDS, metavar="N")
    parser.add_argument("--most", type=float, default=MOST, metavar="RATIO", help="fail above; 0 only reports")
    arguments = parser.parse_args()
    with error_exit("coldstart"):
        costs = measure(arguments.rounds)
    least = {name: min(cpu for cpu, _ in found) for name, found in costs.items()}
    for name, found in costs.items():
        print(f"{name:6} {least[name] * 1000:6.0f} ms CPU, {min(wall for _, wall in found) * 1000:6.0f} ms wall")
    ratio = least["app"] / least["hello"]
    version = ".".join(map(str, sys.version_info[:3]))
    judged = f"at most {arguments.most:g}" if arguments.most else "reported only"
    print(f"ratio  {ratio:6.2f} (least of {arguments.rounds} on Python {version}; {judged})")
    if arguments.most and ratio > arguments.most:
        sys.exit(1)


if __name__ == "__main__":
    main()
