"""What the commands in tools share: whole numbers as options, and errors that end with exit code 2."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator

from harness.errors import HarnessError


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return an argparse type that reads a whole number from `low` to `high`."""

    def read(text: str) -> int:
        with contextlib.suppress(ValueError):
            if low <= int(text) <= high:
                return int(text)
        raise argparse.ArgumentTypeError(f"{text}: give a whole number from {low} to {high}")

    return read


@contextlib.contextmanager
def error_exit(tool: str) -> Iterator[None]:
    """Print a HarnessError or an OSError on standard error, after the tool's name, and exit with 2."""
    try:
        yield
    except (HarnessError, OSError) as error:
        sys.stderr.write(f"{tool}: {error}\n")
        sys.exit(2)
