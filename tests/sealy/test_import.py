"""What importing the app brings with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src"


def test_importing_the_app_reads_no_settings_and_no_tools() -> None:
    """With wrong settings around, the import works; and a cold start never pays for what only tests and tools need."""
    tools = {"alembic", "mako", "httpx", "pytest", "harness"}
    program = f"import sys, sealy.main; print(sorted({tools!r} & set(sys.modules)))"
    env = {**os.environ, "PYTHONPATH": str(SOURCES), "APP_POOL_SIZE": "0"}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "[]"), ended.stderr


def test_no_garbage_is_looked_for_while_the_app_is_imported() -> None:
    """It would cost a twentieth of the start; afterwards the collector works again, and passes over what they made."""
    program = """
import gc, sys
found = []
gc.callbacks.append(lambda *_: found.append("fastapi" in sys.modules and not gc.get_freeze_count()))
import sealy.main
print(any(found), gc.isenabled(), gc.get_freeze_count() > 50_000)
"""
    env = {**os.environ, "PYTHONPATH": str(SOURCES)}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "False True True"), ended.stderr


def test_a_collector_that_was_off_stays_off() -> None:
    """Whoever imports the app decides about its collector."""
    program = "import gc; gc.disable(); import sealy.main; print(gc.isenabled())"
    env = {**os.environ, "PYTHONPATH": str(SOURCES)}
    shown = subprocess.check_output([sys.executable, "-c", program], env=env, text=True, timeout=60)
    assert shown.strip() == "False"
