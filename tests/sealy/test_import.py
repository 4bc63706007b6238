"""What importing the app brings with it, and what the process that serves does about it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src"


def shown(program: str, **variables: str) -> str:
    """What a program prints in an environment with these variables."""
    env = {**os.environ, "PYTHONPATH": str(SOURCES), **variables}
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_importing_the_app_reads_no_settings_and_no_tools() -> None:
    """Wrong settings do not matter to it, and a cold start never pays for what only tests and tools need."""
    tools = {"alembic", "mako", "httpx", "pytest", "harness"}
    program = f"import sys, sealy.main; print(sorted({tools!r} & set(sys.modules)))"
    assert shown(program, APP_POOL_SIZE="0") == "[]"


def test_the_process_looks_for_no_garbage_while_it_imports_the_app() -> None:
    """It would cost a twentieth of the start; while requests are served the collector works, and skips the imports."""
    program = """
import gc, runpy, sys, uvicorn
found, before = [], gc.get_freeze_count()  # Python 3.12 starts with some
gc.callbacks.append(lambda *_: found.append("fastapi" in sys.modules and gc.get_freeze_count() == before))
uvicorn.run = lambda *_, **__: print(any(found), gc.isenabled(), gc.get_freeze_count() > 50_000)
runpy.run_module("sealy", run_name="__main__")
"""
    assert shown(program, APP_DATABASE_URL="postgresql://ada@localhost/todos") == "False True True"


def test_importing_the_app_leaves_the_collector_alone() -> None:
    """Only the process decides about its collector: tests and tools import the app too."""
    program = """
import gc
gc.disable()
before = gc.get_freeze_count()
import sealy.main
print(gc.isenabled(), gc.get_freeze_count() - before)
"""
    assert shown(program) == "False 0"
