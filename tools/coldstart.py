"""Compare the CPU of a cold start, from the spawn of the process to its first 200, with that of a bare FastAPI app.

The two start in turn, and the least of each counts, because other work on the machine only adds. The app's database is
away, so that the speed of its server does not matter.
"""

from __future__ import annotations

import argparse
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from harness.config import load_config
from harness.errors import HarnessError
from tools.cli import error_exit, whole_number

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 9
MOST = 2.2
"""Times the CPU of the bare app: 1.85, and what a busy machine adds (docs/operating.md)."""

NOWHERE = "postgresql://nobody@/nowhere?host=/nowhere"
WITHIN = 60.0
"""Seconds for the first answer."""

Cost = tuple[float, float]
"""CPU and wall seconds."""


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def answers(port: int) -> bool:
    """Return whether /health answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def cpu_seconds(process: int) -> float:
    """Return the CPU seconds of a process; the clock's id is computed as clock_getcpuclockid(3) does."""
    return time.clock_gettime((~process << 3) | 2)


def start(arguments: Sequence[str]) -> Cost:
    """Start a server by `python -m`, and return what it cost until it answered.

    Raises:
        HarnessError: if it ends, or does not answer in time.
    """
    port = free_port()
    command = [sys.executable, "-m", *arguments]
    # Where the environment keeps Python from writing .pyc files, each start would compile all that it imports.
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": ""}
    config = load_config(ROOT)
    environment |= {"PORT": str(port), "UVICORN_PORT": str(port), **config.environment, config.database_env: NOWHERE}
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not answers(port):
            if process.poll() is not None or time.perf_counter() - begun > WITHIN:
                problem = f"{arguments[0]} did not answer within {WITHIN:.0f} s, or exited"
                raise HarnessError(problem, remedy=f"run it to see why: {' '.join(command)}")
            time.sleep(0.01)
        return cpu_seconds(process.pid), time.perf_counter() - begun
    finally:
        process.kill()
        process.wait()


def measure(rounds: int) -> dict[str, list[Cost]]:
    """Return what each of the two cost, `rounds` times in turn."""
    bare = ("uvicorn", "--factory", "tools.bare_app:create_app", "--no-access-log")
    servers = {"bare": bare, "app": (load_config(ROOT).app.partition(".")[0],)}
    costs: dict[str, list[Cost]] = {name: [] for name in servers}
    for turn in range(rounds + 1):
        for name, arguments in servers.items():
            cost = start(arguments)
            if turn:  # the first turn writes the .pyc files
                costs[name].append(cost)
    return costs


def main() -> None:
    """Measure and print the costs; exit with 1 if the app takes more than it may."""
    parser = argparse.ArgumentParser(prog="coldstart", description=__doc__)
    parser.add_argument("--rounds", type=whole_number(1, 1000), default=ROUNDS, metavar="N")
    parser.add_argument("--most", type=float, default=MOST, metavar="RATIO", help="fail above; 0 only reports")
    arguments = parser.parse_args()
    with error_exit("coldstart"):
        costs = measure(arguments.rounds)
    least = {name: min(cpu for cpu, _ in found) for name, found in costs.items()}
    for name, found in costs.items():
        print(f"{name:6} {least[name] * 1000:6.0f} ms CPU, {min(wall for _, wall in found) * 1000:6.0f} ms wall")
    ratio = least["app"] / least["bare"]
    version = ".".join(map(str, sys.version_info[:3]))
    judged = f"at most {arguments.most:g}" if arguments.most else "reported only"
    print(f"ratio  {ratio:6.2f} (least of {arguments.rounds} on Python {version}; {judged})")
    if arguments.most and ratio > arguments.most:
        sys.exit(1)


if __name__ == "__main__":
    main()
