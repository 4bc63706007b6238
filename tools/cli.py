"""What the tools say when they cannot do what they are asked: one error for people, and exit code 2."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator

from harness.config import HarnessError


def between(low: int, high: int) -> Callable[[str], int]:
    """The type of an argument of argparse: a whole number from `low` to `high`."""

    def read(text: str) -> int:
        with contextlib.suppress(ValueError):
            if low <= int(text) <= high:
                return int(text)
        raise argparse.ArgumentTypeError(f"{text}: give a whole number from {low} to {high}")

    return read


@contextlib.contextmanager
def refusals(tool: str) -> Iterator[None]:
    """End the process with 2, and the tool's name before the text, when the harness cannot do its work."""
    try:
        yield
    except (HarnessError, OSError) as error:
        sys.stderr.write(f"{tool}: {error}\n")
        sys.exit(2)
