"""Numbers in sentences."""

from __future__ import annotations


def plural(number: int, noun: str, several: str = "") -> str:
    """Return a number with its noun, in the plural unless it is 1: `2 queries`; by default the plural ends in s."""
    return f"{number} {noun if number == 1 else several or f'{noun}s'}"
