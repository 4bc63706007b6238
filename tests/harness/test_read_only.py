"""A checkout that is mounted read-only, as `docker run -v "$PWD:/src:ro"` does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MOUNTED = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && cd "$1" && shift && exec "$@"'
UNSHARE = ["unshare", "--mount", "sh", "-c"]

CAN_MOUNT = (
    shutil.which("unshare") and subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode == 0
)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's root, mounted read-only."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    mounted = [*UNSHARE, MOUNTED, "sh", str(ROOT), *command]
    return subprocess.run(mounted, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.skipif(not CAN_MOUNT, reason="`unshare --mount` is not allowed here")
def test_the_suites_run_in_a_read_only_checkout() -> None:
    """pytest's and hypothesis's caches cannot be written there, which fails nothing."""
    assert "Read-only" in run("touch", "file").stderr
    done = run(sys.executable, "-m", "pytest", "-q", "tests/schema", "tests/api/test_fuzz.py", "-m", "not slow")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
